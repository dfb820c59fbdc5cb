// SPDX-License-Identifier: Apache-2.0
//
// exit(2) of a thread against exit_group(2) of a process.

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

TEST(Exit, OfTheLeaderLeavesTheOtherThreadsRunning) {
  Pipe pipe;
  ForkedChild child([&] {
    TestThread other([&] {
      char byte;
      CHILD_CHECK(read(pipe.reader.get(), &byte, 1) == 1);
      _exit(12);
    });
    syscall(SYS_exit, 3);
  });
  // The group lives on although its leader is gone.
  EXPECT_THAT(waitpid(child.pid(), nullptr, WNOHANG), SyscallSucceedsWithValue(0));
  ASSERT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(child.Wait(), ExitedWith(12));
}

TEST(ExitGroup, FromAThreadEndsAll) {
  EXPECT_THAT(InForkedProcess([] {
                TestThread sleeper([] { pause(); });
                TestThread spinner([] {
                  for (volatile bool on = true; on;) {
                  }
                });
                TestThread ender([] { _exit(13); });
                pause();
              }),
              ExitedWith(13));
}

TEST(ExitGroup, ClosesTheDescriptors) {
  Pipe pipe;
  ForkedChild child([&] { _exit(0); });
  pipe.writer.reset();
  char byte;
  EXPECT_THAT(read(pipe.reader.get(), &byte, 1), SyscallSucceedsWithValue(0));
}

TEST(ExitGroup, ChildrenLiveOn) {
  Pipe pipe;
  EXPECT_THAT(InForkedProcess([&] {
                const pid_t middle = getpid();
                if (fork() == 0) {
                  while (getppid() == middle) sched_yield();
                  (void)!write(pipe.writer.get(), "x", 1);
                }
              }),
              ExitedWith(0));
  char byte;
  EXPECT_THAT(read(pipe.reader.get(), &byte, 1), SyscallSucceedsWithValue(1));
}

}  // namespace
}  // namespace redoubt::test
