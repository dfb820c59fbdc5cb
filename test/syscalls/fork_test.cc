// SPDX-License-Identifier: Apache-2.0
//
// fork(2) and vfork(2).

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

TEST(Fork, ChildHasItsOwnIdsAndItsParents) {
  const pid_t parent = getpid();
  Pipe pipe;
  ForkedChild child([&] {
    CHILD_CHECK(getppid() == parent);
    CHILD_CHECK(gettid() == getpid());
    const pid_t own = getpid();
    CHILD_CHECK(write(pipe.writer.get(), &own, sizeof(own)) == sizeof(own));
  });
  pid_t told = 0;
  ASSERT_THAT(read(pipe.reader.get(), &told, sizeof(told)), SyscallSucceedsWithValue(4));
  EXPECT_EQ(told, child.pid());
  EXPECT_NE(told, parent);
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(Fork, PrivateMemoryIsCopiedOnWrite) {
  std::vector<int> data(1 << 18, 1);
  SyncPoint changed;
  SyncPoint seen;
  ForkedChild child([&] {
    CHILD_CHECK(changed.Await());
    for (int value : data) CHILD_CHECK(value == 1);
    for (int& value : data) value = 2;
    seen.Open();
  });
  for (int& value : data) value = 3;
  changed.Open();
  EXPECT_TRUE(seen.Await());
  for (int value : data) ASSERT_EQ(value, 3);
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(Fork, StackAndThreadLocalsAreTheChildsOwn) {
  thread_local int local = 1;
  volatile int on_stack = 1;
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(local == 1 && on_stack == 1);
                local = 2;
                on_stack = 2;
              }),
              ExitedWith(0));
  EXPECT_EQ(local, 1);
  EXPECT_EQ(on_stack, 1);
}

TEST(Fork, DescriptorTableIsCopied) {
  Pipe pipe;
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(close(pipe.reader.get()) == 0);
                CHILD_CHECK(!IsOpen(pipe.reader.get()));
              }),
              ExitedWith(0));
  EXPECT_TRUE(IsOpen(pipe.reader.get()));
}

TEST(Fork, MaskAndHandlersAreInheritedPendingSignalsAreNot) {
  ScopedBlock block({SIGUSR1});
  ScopedHandler handler(SIGUSR2, CountSignal);
  raise(SIGUSR1);
  signals_seen = 0;
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(IsBlocked(SIGUSR1));
                CHILD_CHECK(!IsPending(SIGUSR1));
                raise(SIGUSR2);
                CHILD_CHECK(signals_seen == 1);
              }),
              ExitedWith(0));
  EXPECT_EQ(signals_seen, 0);
  EXPECT_TRUE(IsPending(SIGUSR1));
  const sigset_t set = SignalSet({SIGUSR1});
  int signal;
  sigwait(&set, &signal);
}

TEST(Fork, OnlyTheCallingThreadIsInTheChild) {
  Pipe block;
  TestThread other([&] {
    char byte;
    (void)!read(block.reader.get(), &byte, 1);
  });
  EXPECT_THAT(InForkedProcess([] { CHILD_CHECK(gettid() == getpid()); }), ExitedWith(0));
  int status = -1;
  TestThread forking([&] { status = InForkedProcess([] { CHILD_CHECK(gettid() == getpid()); }); });
  forking.Join();
  EXPECT_THAT(status, ExitedWith(0));
  block.writer.reset();
}

TEST(Fork, TwoHundredChildrenInTurn) {
  for (int i = 0; i < 200; i++) {
    ASSERT_THAT(InForkedProcess([i] { _exit(i % 100); }), ExitedWith(i % 100));
  }
}

TEST(Fork, GrandchildrenInANest) {
  EXPECT_THAT(InForkedProcess([] {
                for (int depth = 0; depth < 10; depth++) {
                  const pid_t child = fork();
                  CHILD_CHECK(child >= 0);
                  if (child == 0) continue;
                  const int status = WaitFor(child);
                  CHILD_CHECK(WIFEXITED(status));
                  _exit(WEXITSTATUS(status) + 1);
                }
                _exit(0);
              }),
              ExitedWith(10));
}

TEST(Fork, ManyChildrenAtOnce) {
  SyncPoint go;
  std::vector<pid_t> children;
  for (int i = 0; i < 50; i++) {
    const pid_t child = fork();
    if (child == 0) {
      go.Await();
      _exit(i);
    }
    children.push_back(child);
  }
  for (int i = 0; i < 50; i++) go.Open();
  for (int i = 0; i < 50; i++) EXPECT_THAT(WaitFor(children[i]), ExitedWith(i));
}

TEST(Vfork, ParentSeesWhatTheChildWrote) {
  volatile int shared = 1;
  const pid_t child = vfork();
  if (child == 0) {
    shared = 2;
    _exit(5);
  }
  EXPECT_EQ(shared, 2);
  EXPECT_THAT(WaitFor(child), ExitedWith(5));
}

TEST(Vfork, ParentWaitsUntilExec) {
  const pid_t child = vfork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "exit 6", nullptr);
    _exit(127);
  }
  ASSERT_GT(child, 0);
  EXPECT_THAT(WaitFor(child), ExitedWith(6));
}

TEST(Vfork, ChildKilledBySignalReleasesTheParent) {
  const pid_t child = vfork();
  if (child == 0) {
    kill(getpid(), SIGKILL);
    _exit(1);
  }
  EXPECT_THAT(WaitFor(child), KilledBy(SIGKILL));
}

}  // namespace
}  // namespace redoubt::test
