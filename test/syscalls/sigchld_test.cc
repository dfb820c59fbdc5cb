// SPDX-License-Identifier: Apache-2.0
//
// SIGCHLD: when it is sent and what it carries.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

// Takes the next SIGCHLD, which must be blocked.
siginfo_t TakeSigchld() {
  const sigset_t set = SignalSet({SIGCHLD});
  const timespec limit = ToTimespec(kForever);
  siginfo_t info = {};
  EXPECT_THAT(sigtimedwait(&set, &info, &limit), SyscallSucceedsWithValue(SIGCHLD));
  return info;
}

class SigchldTest : public ::testing::Test {
 protected:
  // A signal with the default action "ignore" stays pending only while it is blocked.
  ScopedHandler handler_{SIGCHLD, CountSignal};
  ScopedBlock block_{SIGCHLD};
};

TEST_F(SigchldTest, TellsOfAnExit) {
  ForkedChild child([] { _exit(23); });
  const siginfo_t info = TakeSigchld();
  EXPECT_EQ(info.si_code, CLD_EXITED);
  EXPECT_EQ(info.si_pid, child.pid());
  EXPECT_EQ(info.si_uid, getuid());
  EXPECT_EQ(info.si_status, 23);
}

TEST_F(SigchldTest, TellsOfADeath) {
  ForkedChild child([] { raise(SIGKILL); });
  const siginfo_t info = TakeSigchld();
  EXPECT_EQ(info.si_code, CLD_KILLED);
  EXPECT_EQ(info.si_status, SIGKILL);
}

TEST_F(SigchldTest, TellsOfStopAndContinue) {
  ForkedChild child([] { pause(); });
  kill(child.pid(), SIGSTOP);
  siginfo_t info = TakeSigchld();
  EXPECT_EQ(info.si_code, CLD_STOPPED);
  EXPECT_EQ(info.si_status, SIGSTOP);
  kill(child.pid(), SIGCONT);
  info = TakeSigchld();
  EXPECT_EQ(info.si_code, CLD_CONTINUED);
  EXPECT_EQ(info.si_status, SIGCONT);
}

TEST_F(SigchldTest, NoChildStopKeepsSilentAboutStops) {
  ScopedHandler quiet(SIGCHLD, CountSignal, SA_NOCLDSTOP);
  ForkedChild child([] { pause(); });
  kill(child.pid(), SIGSTOP);
  int status;
  ASSERT_THAT(waitpid(child.pid(), &status, WUNTRACED), SyscallSucceedsWithValue(child.pid()));
  EXPECT_FALSE(IsPending(SIGCHLD));
  kill(child.pid(), SIGKILL);
  EXPECT_EQ(TakeSigchld().si_code, CLD_KILLED);
}

TEST_F(SigchldTest, NoChildWaitReapsButStillTells) {
  ScopedHandler reaping(SIGCHLD, CountSignal, SA_NOCLDWAIT);
  ForkedChild child([] { _exit(1); });
  EXPECT_EQ(TakeSigchld().si_pid, child.pid());
  EXPECT_THAT(waitpid(child.Release(), nullptr, 0), SyscallFailsWith(ECHILD));
}

TEST(Sigchld, HandlerMayReap) {
  static volatile int reaped;
  reaped = 0;
  ScopedHandler handler(
      SIGCHLD, +[](int) {
        while (waitpid(-1, nullptr, WNOHANG) > 0) reaped = reaped + 1;
      });
  for (int i = 0; i < 20; i++) {
    if (fork() == 0) _exit(0);
  }
  EXPECT_TRUE(PollUntil([] { return reaped >= 20; }));  // As PID 1 it adopts orphans too.
}

}  // namespace
}  // namespace redoubt::test
