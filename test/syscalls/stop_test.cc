// SPDX-License-Identifier: Apache-2.0
//
// Stopping and continuing processes, and the SIGCHLD that tells of it.

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

class StopTest : public ::testing::Test {
 protected:
  // Waits for a stop of the child; gives the signal that stopped it, or -1.
  int AwaitStop() {
    int status = 0;
    if (waitpid(child_.pid(), &status, WUNTRACED) != child_.pid()) return -1;
    return WIFSTOPPED(status) ? WSTOPSIG(status) : -1;
  }

  ForkedChild child_{[] {
    signal(
        SIGUSR1, +[](int) { _exit(15); });
    while (true) pause();
  }};
};

TEST_F(StopTest, StoppedContinuedAndKilled) {
  ASSERT_THAT(kill(child_.pid(), SIGSTOP), SyscallSucceeds());
  EXPECT_EQ(AwaitStop(), SIGSTOP);
  int status = 0;
  EXPECT_THAT(waitpid(child_.pid(), &status, WNOHANG | WUNTRACED), SyscallSucceedsWithValue(0));
  ASSERT_THAT(kill(child_.pid(), SIGCONT), SyscallSucceeds());
  EXPECT_THAT(waitpid(child_.pid(), &status, WCONTINUED), SyscallSucceedsWithValue(child_.pid()));
  EXPECT_TRUE(WIFCONTINUED(status));
  kill(child_.pid(), SIGKILL);
  EXPECT_THAT(child_.Wait(), KilledBy(SIGKILL));
}

TEST_F(StopTest, WithoutUntracedNothingIsTold) {
  ASSERT_THAT(kill(child_.pid(), SIGSTOP), SyscallSucceeds());
  siginfo_t info = {};
  ASSERT_THAT(waitid(P_PID, child_.pid(), &info, WSTOPPED | WNOWAIT), SyscallSucceeds());
  EXPECT_EQ(info.si_code, CLD_STOPPED);
  EXPECT_EQ(info.si_status, SIGSTOP);
  int status;
  EXPECT_THAT(waitpid(child_.pid(), &status, WNOHANG), SyscallSucceedsWithValue(0));
}

TEST_F(StopTest, SignalsWaitUntilItContinues) {
  ASSERT_THAT(kill(child_.pid(), SIGSTOP), SyscallSucceeds());
  EXPECT_EQ(AwaitStop(), SIGSTOP);
  ASSERT_THAT(kill(child_.pid(), SIGTERM), SyscallSucceeds());
  EXPECT_THAT(waitpid(child_.pid(), nullptr, WNOHANG), SyscallSucceedsWithValue(0));
  kill(child_.pid(), SIGCONT);
  EXPECT_THAT(child_.Wait(), KilledBy(SIGTERM));
}

TEST_F(StopTest, KillWorksOnAStoppedProcess) {
  ASSERT_THAT(kill(child_.pid(), SIGSTOP), SyscallSucceeds());
  EXPECT_EQ(AwaitStop(), SIGSTOP);
  kill(child_.pid(), SIGKILL);
  EXPECT_THAT(child_.Wait(), KilledBy(SIGKILL));
}

TEST_F(StopTest, SpinningProcessStopsAndResumes) {
  SyncPoint ready;
  ForkedChild spinner([&] {
    static volatile bool on = true;
    signal(
        SIGUSR1, +[](int) { on = false; });
    ready.Open();
    while (on) {
    }
    _exit(16);
  });
  ASSERT_TRUE(ready.Await());
  int status;
  kill(spinner.pid(), SIGSTOP);
  ASSERT_THAT(waitpid(spinner.pid(), &status, WUNTRACED), SyscallSucceedsWithValue(spinner.pid()));
  EXPECT_TRUE(WIFSTOPPED(status));
  kill(spinner.pid(), SIGUSR1);
  kill(spinner.pid(), SIGCONT);
  EXPECT_THAT(spinner.Wait(), ExitedWith(16));
}

TEST(Stop, HandlerOfSigcontRunsAndASystemCallGoesOn) {
  SyncPoint ready;
  Pipe pipe;
  ForkedChild child([&] {
    signals_seen = 0;
    ScopedHandler handler(SIGCONT, CountSignal, SA_RESTART);
    ready.Open();
    char byte;
    CHILD_CHECK(read(pipe.reader.get(), &byte, 1) == 1);
    CHILD_CHECK(signals_seen == 1);
  });
  ASSERT_TRUE(ready.Await());
  AwaitSleeping(child.pid());
  int status;
  kill(child.pid(), SIGSTOP);
  ASSERT_THAT(waitpid(child.pid(), &status, WUNTRACED), SyscallSucceedsWithValue(child.pid()));
  kill(child.pid(), SIGCONT);
  ASSERT_THAT(waitpid(child.pid(), &status, WCONTINUED), SyscallSucceedsWithValue(child.pid()));
  ASSERT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(Stop, TerminalStopSignalsCanBeHandledOrIgnored) {
  EXPECT_THAT(InForkedProcess([] {
                signals_seen = 0;
                signal(SIGTSTP, CountSignal);
                signal(SIGTTIN, SIG_IGN);
                raise(SIGTSTP);
                raise(SIGTTIN);
                CHILD_CHECK(signals_seen == 1);
              }),
              ExitedWith(0));
}

TEST(Stop, StopCancelsAPendingContinueAndBack) {
  ScopedHandler handler(SIGCONT, CountSignal);
  ScopedBlock block({SIGCONT, SIGTSTP});
  raise(SIGTSTP);
  EXPECT_TRUE(IsPending(SIGTSTP));
  raise(SIGCONT);
  EXPECT_FALSE(IsPending(SIGTSTP));
  EXPECT_TRUE(IsPending(SIGCONT));
  raise(SIGTSTP);
  EXPECT_FALSE(IsPending(SIGCONT));
  raise(SIGCONT);  // Leaves no stop behind for the end of the scope.
}

TEST(Stop, AllThreadsStop) {
  SyncPoint ready;
  std::atomic<uint64_t>* count = static_cast<std::atomic<uint64_t>*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ForkedChild child([&] {
    TestThread counter([&] {
      while (true) (*count)++;
    });
    ready.Open();
    pause();
  });
  ASSERT_TRUE(ready.Await());
  EXPECT_TRUE(PollUntil([&] { return *count > 0; }));
  kill(child.pid(), SIGSTOP);
  int status;
  ASSERT_THAT(waitpid(child.pid(), &status, WUNTRACED), SyscallSucceedsWithValue(child.pid()));
  const uint64_t before = *count;
  const timespec pause = ToTimespec(milliseconds(20));
  nanosleep(&pause, nullptr);
  EXPECT_EQ(*count, before);
  kill(child.pid(), SIGCONT);
  EXPECT_TRUE(PollUntil([&] { return *count > before; }));
  munmap(count, 4096);
}

}  // namespace
}  // namespace redoubt::test
