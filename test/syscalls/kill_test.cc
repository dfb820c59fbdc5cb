// SPDX-License-Identifier: Apache-2.0
//
// kill(2), tkill(2), tgkill(2): who gets a signal, and who may send one.

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

TEST(Kill, SignalZeroOnlyLooks) {
  EXPECT_THAT(kill(getpid(), 0), SyscallSucceeds());
  ForkedChild child([] { pause(); });
  const pid_t pid = child.pid();
  EXPECT_THAT(kill(pid, 0), SyscallSucceeds());
  kill(pid, SIGKILL);
  EXPECT_THAT(child.Wait(), KilledBy(SIGKILL));
  EXPECT_THAT(kill(pid, 0), SyscallFailsWith(ESRCH));
}

TEST(Kill, BadArguments) {
  EXPECT_THAT(kill(getpid(), 65), SyscallFailsWith(EINVAL));
  EXPECT_THAT(kill(getpid(), -1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(kill(0x7fff'fff0, 0), SyscallFailsWith(ESRCH));
  EXPECT_THAT(kill(-0x7fff'fff0, 0), SyscallFailsWith(ESRCH));
  EXPECT_THAT(syscall(SYS_tkill, 0, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_tgkill, -1, gettid(), 0), SyscallFailsWith(EINVAL));
}

TEST(Kill, ToItselfIsDeliveredBeforeItReturns) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  signals_seen = 0;
  ASSERT_THAT(kill(getpid(), SIGUSR1), SyscallSucceeds());
  EXPECT_EQ(signals_seen, 1);
}

TEST(Kill, ProcessGroupGetsItAll) {
  // A group of a leader and two others, all in their own session's background.
  ForkedChild leader([] {
    setpgid(0, 0);
    pause();
  });
  setpgid(leader.pid(), leader.pid());
  ForkedChild second([] { pause(); });
  ASSERT_THAT(setpgid(second.pid(), leader.pid()), SyscallSucceeds());
  ASSERT_THAT(kill(-leader.pid(), SIGTERM), SyscallSucceeds());
  EXPECT_THAT(leader.Wait(), KilledBy(SIGTERM));
  EXPECT_THAT(second.Wait(), KilledBy(SIGTERM));
}

TEST(Kill, ZeroIsTheOwnGroup) {
  EXPECT_THAT(InForkedProcess([] {
                setpgid(0, 0);
                kill(0, SIGTERM);
              }),
              KilledBy(SIGTERM));
}

TEST(Kill, OfAnotherUsersProcessIsEperm) {
  if (geteuid() != 0) GTEST_SKIP() << "needs another user";
  ForkedChild target([] { pause(); });
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(kill(target.pid(), SIGTERM), EPERM);
                CHILD_CHECK_FAILS(kill(target.pid(), 0), EPERM);
                CHILD_CHECK(kill(getpid(), 0) == 0);
              }),
              ExitedWith(0));
}

TEST(Kill, ProcessSignalGoesToAThreadThatDoesNotBlockIt) {
  static std::atomic<pid_t> receiver;
  receiver = 0;
  ScopedHandler handler(
      SIGUSR1, +[](int) { receiver = gettid(); });
  TestThread open_thread([] { PollUntil([] { return receiver != 0; }); });
  ScopedBlock block({SIGUSR1});
  ASSERT_THAT(kill(getpid(), SIGUSR1), SyscallSucceeds());
  EXPECT_TRUE(PollUntil([] { return receiver != 0; }));
  EXPECT_EQ(receiver, open_thread.tid());
}

TEST(Tgkill, ReachesJustThatThread) {
  static std::atomic<pid_t> receiver;
  receiver = 0;
  ScopedHandler handler(
      SIGUSR1, +[](int) { receiver = gettid(); });
  TestThread other([] { PollUntil([] { return receiver != 0; }); });
  ASSERT_THAT(syscall(SYS_tgkill, getpid(), other.tid(), SIGUSR1), SyscallSucceeds());
  other.Join();
  EXPECT_EQ(receiver, other.tid());
}

TEST(Tgkill, WrongGroupIsEsrch) {
  ForkedChild child([] { pause(); });
  EXPECT_THAT(syscall(SYS_tgkill, child.pid(), gettid(), 0), SyscallFailsWith(ESRCH));
  EXPECT_THAT(syscall(SYS_tgkill, child.pid(), child.pid(), 0), SyscallSucceeds());
}

TEST(Kill, FatalSignalEndsAllThreads) {
  EXPECT_THAT(InForkedProcess([] {
                TestThread sleeper([] { pause(); });
                TestThread killer([] { kill(getpid(), SIGTERM); });
                pause();
              }),
              KilledBy(SIGTERM));
}

TEST(Kill, SpinningProcessDies) {
  ForkedChild child([] {
    for (volatile bool on = true; on;) {
    }
  });
  kill(child.pid(), SIGKILL);
  EXPECT_THAT(child.Wait(), KilledBy(SIGKILL));
}

TEST(Kill, SpinningProcessRunsItsHandler) {
  SyncPoint ready;
  ForkedChild child([&] {
    signal(
        SIGUSR1, +[](int) { _exit(11); });
    ready.Open();
    for (volatile bool on = true; on;) {
    }
  });
  ASSERT_TRUE(ready.Await());
  kill(child.pid(), SIGUSR1);
  EXPECT_THAT(child.Wait(), ExitedWith(11));
}

TEST(Kill, DefaultActions) {
  // What a process does with a signal that it does not handle: 0 stands for "nothing".
  constexpr struct {
    int signal;
    int killed_by;
  } kCases[] = {{SIGHUP, SIGHUP},
                {SIGINT, SIGINT},
                {SIGQUIT, SIGQUIT},
                {SIGABRT, SIGABRT},
                {SIGCHLD, 0},
                {SIGCONT, 0},
                {SIGURG, 0},
                {SIGWINCH, 0},
                {SIGPOLL, SIGPOLL},
                {SIGPROF, SIGPROF},
                {SIGSYS, SIGSYS},
                {SIGXCPU, SIGXCPU},
                {SIGPWR, SIGPWR},
                {SIGSTKFLT, SIGSTKFLT},
                {SIGVTALRM, SIGVTALRM},
                {64, 64}};
  for (const auto& [sent, killed_by] : kCases) {
    const int status = InForkedProcess([signal = sent] {
      ::signal(signal, SIG_DFL);
      kill(getpid(), signal);
    });
    if (killed_by == 0) {
      EXPECT_THAT(status, ExitedWith(0)) << sent;
    } else {
      EXPECT_THAT(status, KilledBy(killed_by)) << sent;
    }
  }
}

}  // namespace
}  // namespace redoubt::test
