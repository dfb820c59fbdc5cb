// SPDX-License-Identifier: Apache-2.0
//
// setitimer(2), getitimer(2), alarm(2).

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

int Set(__itimer_which_t which, nanoseconds first, nanoseconds interval = nanoseconds(0),
        itimerval* old = nullptr) {
  const itimerval value = {.it_interval = ToTimeval(interval), .it_value = ToTimeval(first)};
  return setitimer(which, &value, old);
}

class ItimerTest : public ::testing::Test {
 protected:
  ItimerTest() { signals_seen = 0; }
  ~ItimerTest() override {
    for (const auto which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) Set(which, milliseconds(0));
  }

  static bool AwaitSignals(int count) {
    return PollUntil([count] { return signals_seen >= count; });
  }
};

TEST_F(ItimerTest, RealFiresOnce) {
  ScopedHandler handler(SIGALRM, CountSignal);
  const Stopwatch watch;
  ASSERT_THAT(Set(ITIMER_REAL, milliseconds(15)), SyscallSucceeds());
  EXPECT_TRUE(AwaitSignals(1));
  EXPECT_GE(watch.Elapsed(), milliseconds(15));
  itimerval left;
  ASSERT_THAT(getitimer(ITIMER_REAL, &left), SyscallSucceeds());
  EXPECT_EQ(left.it_value.tv_sec, 0);
  EXPECT_EQ(left.it_value.tv_usec, 0);
}

TEST_F(ItimerTest, RealRepeats) {
  ScopedHandler handler(SIGALRM, CountSignal);
  const Stopwatch watch;
  ASSERT_THAT(Set(ITIMER_REAL, milliseconds(4), milliseconds(4)), SyscallSucceeds());
  EXPECT_TRUE(AwaitSignals(5));
  EXPECT_GE(watch.Elapsed(), milliseconds(4 * 5));
}

TEST_F(ItimerTest, OldValueIsGivenBack) {
  ASSERT_THAT(Set(ITIMER_REAL, std::chrono::seconds(100), std::chrono::seconds(7)),
              SyscallSucceeds());
  itimerval old;
  ASSERT_THAT(Set(ITIMER_REAL, milliseconds(0), milliseconds(0), &old), SyscallSucceeds());
  EXPECT_GT(old.it_value.tv_sec, 50);
  EXPECT_EQ(old.it_interval.tv_sec, 7);
}

TEST_F(ItimerTest, ProfilingTimerInterruptsABusyLoop) {
  ScopedHandler handler(SIGPROF, CountSignal);
  ASSERT_THAT(Set(ITIMER_PROF, milliseconds(5), milliseconds(5)), SyscallSucceeds());
  const Stopwatch watch;
  while (signals_seen < 3 && watch.Elapsed() < kForever) {
  }
  EXPECT_GE(signals_seen, 3);
}

TEST_F(ItimerTest, VirtualTimerCountsOnlyUserTime) {
  ScopedHandler handler(SIGVTALRM, CountSignal);
  ASSERT_THAT(Set(ITIMER_VIRTUAL, milliseconds(5)), SyscallSucceeds());
  volatile uint64_t spins = 0;
  const Stopwatch watch;
  while (signals_seen < 1 && watch.Elapsed() < kForever) {
    for (int i = 0; i < 10'000; i++) spins = spins + 1;
  }
  EXPECT_EQ(signals_seen, 1);
}

TEST_F(ItimerTest, BadArgumentsAreEinval) {
  itimerval value = {};
  EXPECT_THAT(getitimer(static_cast<__itimer_which_t>(9), &value), SyscallFailsWith(EINVAL));
  value.it_value.tv_usec = 1'000'000;
  EXPECT_THAT(setitimer(ITIMER_REAL, &value, nullptr), SyscallFailsWith(EINVAL));
}

TEST_F(ItimerTest, IsNotInheritedByFork) {
  ASSERT_THAT(Set(ITIMER_REAL, std::chrono::seconds(100)), SyscallSucceeds());
  EXPECT_THAT(InForkedProcess([] {
                itimerval left;
                CHILD_CHECK(getitimer(ITIMER_REAL, &left) == 0);
                CHILD_CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0);
              }),
              ExitedWith(0));
}

TEST_F(ItimerTest, SurvivesExec) {
  EXPECT_THAT(InForkedProcess([] {
                signal(SIGALRM, SIG_DFL);
                Set(ITIMER_REAL, milliseconds(20));
                execl("/bin/sh", "sh", "-c", "while :; do :; done", nullptr);
                _exit(127);
              }),
              KilledBy(SIGALRM));
}

TEST_F(ItimerTest, AlarmTellsTheSecondsLeftRoundedUp) {
  EXPECT_EQ(alarm(100), 0u);
  EXPECT_EQ(alarm(0), 100u);
  EXPECT_EQ(alarm(0), 0u);
}

TEST_F(ItimerTest, AlarmInterruptsAPause) {
  ScopedHandler handler(SIGALRM, CountSignal);
  ASSERT_THAT(Set(ITIMER_REAL, milliseconds(10), milliseconds(10)), SyscallSucceeds());
  EXPECT_THAT(pause(), SyscallFailsWith(EINTR));
  EXPECT_GE(signals_seen, 1);
}

}  // namespace
}  // namespace redoubt::test
