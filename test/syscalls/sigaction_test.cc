// SPDX-License-Identifier: Apache-2.0
//
// sigaction(2): flags, masks, and what a handler is given.

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
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

siginfo_t last_info;
std::atomic<int> depth{0};
std::atomic<int> deepest{0};

void Record(int, siginfo_t* info, void*) { last_info = *info; }

// Raises SIGUSR1 again the first time, and notes how deep the handlers nest.
void Nest(int) {
  depth++;
  deepest = std::max(deepest.load(), depth.load());
  if (signals_seen++ == 0) raise(SIGUSR1);
  depth--;
}

TEST(Sigaction, RefusesKillStopAndBadNumbers) {
  struct sigaction action = {};
  action.sa_handler = CountSignal;
  EXPECT_THAT(sigaction(SIGKILL, &action, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(sigaction(SIGSTOP, &action, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(sigaction(0, &action, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(sigaction(65, &action, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(sigaction(SIGKILL, nullptr, &action), SyscallSucceeds());
  EXPECT_THAT(syscall(SYS_rt_sigaction, SIGUSR1, nullptr, nullptr, 4), SyscallFailsWith(EINVAL));
}

TEST(Sigaction, ReturnsTheOldAction) {
  ScopedHandler handler(SIGUSR1, CountSignal, SA_RESTART);
  struct sigaction old;
  ASSERT_THAT(sigaction(SIGUSR1, nullptr, &old), SyscallSucceeds());
  EXPECT_EQ(old.sa_handler, CountSignal);
  EXPECT_TRUE(old.sa_flags & SA_RESTART);
}

TEST(Sigaction, InfoOfKillAndOfTgkill) {
  ScopedHandler handler(SIGUSR1, Record);
  kill(getpid(), SIGUSR1);
  EXPECT_EQ(last_info.si_signo, SIGUSR1);
  EXPECT_EQ(last_info.si_code, SI_USER);
  EXPECT_EQ(last_info.si_pid, getpid());
  EXPECT_EQ(last_info.si_uid, getuid());
  raise(SIGUSR1);
  EXPECT_EQ(last_info.si_code, SI_TKILL);
}

TEST(Sigaction, SignalIsBlockedInItsHandler) {
  ScopedHandler handler(SIGUSR1, Nest);
  signals_seen = deepest = 0;
  raise(SIGUSR1);
  EXPECT_EQ(signals_seen, 2);
  EXPECT_EQ(deepest, 1);
}

TEST(Sigaction, NoDeferLetsItNest) {
  ScopedHandler handler(SIGUSR1, Nest, SA_NODEFER);
  signals_seen = deepest = 0;
  raise(SIGUSR1);
  EXPECT_EQ(signals_seen, 2);
  EXPECT_EQ(deepest, 2);
}

TEST(Sigaction, MaskOfTheActionIsBlockedInTheHandler) {
  static bool blocked;
  struct sigaction action = {};
  struct sigaction old;
  action.sa_handler = [](int) { blocked = IsBlocked(SIGUSR2) && IsBlocked(SIGUSR1); };
  sigaddset(&action.sa_mask, SIGUSR2);
  sigaction(SIGUSR1, &action, &old);
  raise(SIGUSR1);
  EXPECT_TRUE(blocked);
  EXPECT_FALSE(IsBlocked(SIGUSR2));
  EXPECT_FALSE(IsBlocked(SIGUSR1));
  sigaction(SIGUSR1, &old, nullptr);
}

TEST(Sigaction, ResetHandGoesBackToTheDefault) {
  EXPECT_THAT(InForkedProcess([] {
                ScopedHandler handler(SIGUSR1, CountSignal, SA_RESETHAND);
                signals_seen = 0;
                raise(SIGUSR1);
                CHILD_CHECK(signals_seen == 1);
                raise(SIGUSR1);
              }),
              KilledBy(SIGUSR1));
}

TEST(Sigaction, IgnoredSignalIsDropped) {
  ScopedHandler ignore(SIGUSR1, SIG_IGN);
  {
    ScopedBlock block({SIGUSR1});
    raise(SIGUSR1);
  }
  EXPECT_FALSE(IsPending(SIGUSR1));
}

TEST(Sigaction, IgnoringDropsWhatIsPending) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  ScopedBlock block({SIGUSR1});
  raise(SIGUSR1);
  EXPECT_TRUE(IsPending(SIGUSR1));
  ScopedHandler ignore(SIGUSR1, SIG_IGN);
  EXPECT_FALSE(IsPending(SIGUSR1));
}

TEST(Sigaction, HandlersAreSharedByThreads) {
  ScopedHandler outer(SIGUSR1, SIG_IGN);
  TestThread([] { signal(SIGUSR1, CountSignal); }).Join();
  signals_seen = 0;
  raise(SIGUSR1);
  EXPECT_EQ(signals_seen, 1);
}

TEST(Sigaction, RegistersOutliveAHandler) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  uint64_t registers[4] = {1, 2, 3, 4};
  // The signal arrives as this very call returns, and must leave these registers alone.
  const pid_t pid = getpid();
  register uint64_t r12 asm("r12") = 0x1212;
  register uint64_t r13 asm("r13") = 0x1313;
  register uint64_t r14 asm("r14") = 0x1414;
  register uint64_t r15 asm("r15") = 0x1515;
  long result = SYS_kill;
  asm volatile("syscall"
               : "+a"(result), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15)
               : "D"(pid), "S"(SIGUSR1)
               : "rcx", "r11", "memory");
  registers[0] = r12;
  registers[1] = r13;
  registers[2] = r14;
  registers[3] = r15;
  EXPECT_EQ(result, 0);
  EXPECT_THAT(registers, ::testing::ElementsAre(0x1212u, 0x1313u, 0x1414u, 0x1515u));
}

TEST(Sigaction, HandlerMayChangeTheRegistersToReturnTo) {
  ScopedHandler handler(
      SIGUSR1, +[](int, siginfo_t*, void* context) {
        static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RAX] = 0x5555;
      });
  long result = SYS_kill;
  asm volatile("syscall" : "+a"(result) : "D"(getpid()), "S"(SIGUSR1) : "rcx", "r11", "memory");
  EXPECT_EQ(result, 0x5555);
}

TEST(Sigaction, ContextHoldsTheMaskToRestore) {
  ScopedHandler handler(
      SIGUSR1, +[](int, siginfo_t*, void* context) {
        sigaddset(&static_cast<ucontext_t*>(context)->uc_sigmask, SIGUSR2);
      });
  raise(SIGUSR1);
  EXPECT_TRUE(IsBlocked(SIGUSR2));
  const sigset_t set = SignalSet({SIGUSR2});
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

TEST(Sigaction, RestartGoesOnWithTheRead) {
  ScopedHandler handler(SIGUSR1, CountSignal, SA_RESTART);
  signals_seen = 0;
  Pipe pipe;
  ssize_t got = -1;
  TestThread reader([&] {
    char byte;
    got = read(pipe.reader.get(), &byte, 1);
  });
  for (int i = 1; i <= 3; i++) {
    AwaitSleeping(getpid(), reader.tid());
    pthread_kill(reader.handle(), SIGUSR1);
    EXPECT_TRUE(PollUntil([i] { return signals_seen == i; }));
  }
  ASSERT_THAT(write(pipe.writer.get(), "x", 1), SyscallSucceedsWithValue(1));
  reader.Join();
  EXPECT_EQ(got, 1);
}

TEST(Sigaction, RestartGoesOnWithWait) {
  ScopedHandler handler(SIGUSR1, CountSignal, SA_RESTART);
  SyncPoint go;
  ForkedChild child([&] { go.Await(); });
  const pid_t waiter = gettid();
  signals_seen = 0;
  TestThread interrupter([&] {
    AwaitSleeping(getpid(), waiter);
    tgkill(getpid(), waiter, SIGUSR1);
    PollUntil([] { return signals_seen == 1; });
    go.Open();
  });
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  EXPECT_EQ(signals_seen, 1);
}

TEST(Sigaction, ManySignalsBetweenThreads) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  signals_seen = 0;
  std::atomic<bool> done{false};
  volatile uint64_t spins = 0;
  TestThread target([&] {
    while (!done) spins = spins + 1;
  });
  for (int i = 1; i <= 200; i++) {
    pthread_kill(target.handle(), SIGUSR1);
    ASSERT_TRUE(PollUntil([i] { return signals_seen >= i; }));
  }
  done = true;
}

}  // namespace
}  // namespace redoubt::test
