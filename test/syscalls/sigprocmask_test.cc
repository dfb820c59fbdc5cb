// SPDX-License-Identifier: Apache-2.0
//
// sigprocmask(2), sigpending(2), sigsuspend(2).

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

TEST(Sigprocmask, BlocksUnblocksAndSets) {
  sigset_t original;
  sigset_t old;
  const sigset_t one = SignalSet({SIGUSR1});
  const sigset_t two = SignalSet({SIGUSR2});
  ASSERT_THAT(sigprocmask(SIG_SETMASK, &one, &original), SyscallSucceeds());
  ASSERT_THAT(sigprocmask(SIG_BLOCK, &two, &old), SyscallSucceeds());
  EXPECT_TRUE(sigismember(&old, SIGUSR1));
  EXPECT_FALSE(sigismember(&old, SIGUSR2));
  EXPECT_TRUE(IsBlocked(SIGUSR1) && IsBlocked(SIGUSR2));
  ASSERT_THAT(sigprocmask(SIG_UNBLOCK, &one, nullptr), SyscallSucceeds());
  EXPECT_FALSE(IsBlocked(SIGUSR1));
  EXPECT_TRUE(IsBlocked(SIGUSR2));
  sigprocmask(SIG_SETMASK, &original, nullptr);
}

// A system call that nothing can tell beforehand: neither its number nor its site.
__attribute__((noinline)) long MaskCall(long number, int how, const uint64_t* set, uint64_t* old) {
  long result;
  register uint64_t size asm("r10") = sizeof(*set);
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(how), "S"(set), "d"(old), "r"(size)
               : "rcx", "r11", "memory");
  return result;
}

// However many calls come before: some may be answered on a shorter way than others.
TEST(Sigprocmask, WhatIsBlockedAndUnblockedIsUnblocked) {
  const uint64_t blocked = uint64_t{1} << (SIGUSR1 - 1) | uint64_t{1} << (SIGALRM - 1);
  for (int shift = 0; shift < 8; ++shift) {
    uint64_t original = ~uint64_t{0}, now = 0;
    ASSERT_EQ(MaskCall(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, &original), 0);
    if ((shift & 2) != 0) getppid();
    ASSERT_EQ(MaskCall(SYS_rt_sigprocmask, SIG_SETMASK, &original, nullptr), 0);
    if ((shift & 4) != 0) getppid();
    EXPECT_FALSE(IsBlocked(SIGUSR1));
    for (int i = 0; i <= (shift & 1); ++i) {
      ASSERT_EQ(MaskCall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &now), 0);
      EXPECT_EQ(now, original);
    }
    EXPECT_FALSE(IsBlocked(SIGALRM));
  }
}

TEST(Sigprocmask, KillAndStopCannotBeBlocked) {
  ScopedBlock block({SIGKILL, SIGSTOP, SIGUSR1});
  EXPECT_FALSE(IsBlocked(SIGKILL));
  EXPECT_FALSE(IsBlocked(SIGSTOP));
  EXPECT_TRUE(IsBlocked(SIGUSR1));
}

TEST(Sigprocmask, BadArguments) {
  const uint64_t set = 0;
  EXPECT_THAT(syscall(SYS_rt_sigprocmask, 99, &set, nullptr, 8), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, nullptr, 16), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, nullptr, 8), SyscallFailsWith(EFAULT));
  EXPECT_THAT(syscall(SYS_rt_sigprocmask, 99, nullptr, nullptr, 8), SyscallSucceeds());
}

TEST(Sigprocmask, UnblockingDeliversBeforeItReturns) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  signals_seen = 0;
  {
    ScopedBlock block({SIGUSR1});
    raise(SIGUSR1);
    raise(SIGUSR1);
    EXPECT_EQ(signals_seen, 0);
    EXPECT_TRUE(IsPending(SIGUSR1));
  }
  EXPECT_EQ(signals_seen, 1);  // A standard signal pends once.
  EXPECT_FALSE(IsPending(SIGUSR1));
}

TEST(Sigprocmask, BelongsToTheThread) {
  ScopedBlock block({SIGUSR1});
  TestThread thread([] {
    EXPECT_TRUE(IsBlocked(SIGUSR1));  // Inherited when it is made,
    const sigset_t set = SignalSet({SIGUSR1});
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  });
  thread.Join();
  EXPECT_TRUE(IsBlocked(SIGUSR1));  // and its own from then on.
}

TEST(Sigpending, ShowsThreadsOwnAndProcesssSignals) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  ScopedHandler second(SIGUSR2, CountSignal);
  ScopedBlock block({SIGUSR1, SIGUSR2});
  raise(SIGUSR1);           // To this thread.
  kill(getpid(), SIGUSR2);  // To the process.
  EXPECT_TRUE(IsPending(SIGUSR1));
  EXPECT_TRUE(IsPending(SIGUSR2));
  TestThread other([] {
    EXPECT_FALSE(IsPending(SIGUSR1));
    EXPECT_TRUE(IsPending(SIGUSR2));
  });
}

TEST(Sigsuspend, ReturnsAfterTheHandlerWithTheOldMask) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  ScopedBlock block({SIGUSR1});
  signals_seen = 0;
  raise(SIGUSR1);
  EXPECT_THAT(sigsuspend(&block.previous()), SyscallFailsWith(EINTR));
  EXPECT_EQ(signals_seen, 1);
  EXPECT_TRUE(IsBlocked(SIGUSR1));
}

TEST(Sigsuspend, WaitsForASignalOfAnotherProcess) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  ScopedBlock block({SIGUSR1});
  signals_seen = 0;
  const pid_t parent = getpid();
  ForkedChild child([&] { kill(parent, SIGUSR1); });
  EXPECT_THAT(sigsuspend(&block.previous()), SyscallFailsWith(EINTR));
  EXPECT_EQ(signals_seen, 1);
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(Pause, ReturnsEintrEvenWithSaRestart) {
  ScopedHandler handler(SIGUSR1, CountSignal, SA_RESTART);
  int error = 0;
  TestThread waiter([&] { error = pause() == -1 ? errno : 0; });
  AwaitSleeping(getpid(), waiter.tid());
  pthread_kill(waiter.handle(), SIGUSR1);
  waiter.Join();
  EXPECT_EQ(error, EINTR);
}

}  // namespace
}  // namespace redoubt::test
