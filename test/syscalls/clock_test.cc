// SPDX-License-Identifier: Apache-2.0
//
// Reading clocks: clock_gettime(2), clock_getres(2), gettimeofday(2), time(2).

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

// Uses the processor for that long.
void Burn(nanoseconds amount) {
  const nanoseconds start = Now(CLOCK_THREAD_CPUTIME_ID);
  while (Now(CLOCK_THREAD_CPUTIME_ID) - start < amount) {
  }
}

TEST(ClockGettime, MonotonicNeverGoesBack) {
  nanoseconds last = Now();
  for (int i = 0; i < 100'000; i++) {
    const nanoseconds now = Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(ClockGettime, RawCallAndVdsoAgree) {
  for (const clockid_t clock :
       {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW}) {
    const nanoseconds before = Now(clock);
    timespec raw;
    ASSERT_THAT(syscall(SYS_clock_gettime, clock, &raw), SyscallSucceeds()) << clock;
    const nanoseconds after = Now(clock);
    EXPECT_LE(before, ToNanoseconds(raw)) << clock;
    EXPECT_LE(ToNanoseconds(raw), after) << clock;
  }
}

TEST(ClockGettime, CoarseClocksLagAtMostATick) {
  const nanoseconds coarse = Now(CLOCK_MONOTONIC_COARSE);
  const nanoseconds fine = Now();
  EXPECT_LE(coarse, fine);
  EXPECT_LT(fine - coarse, milliseconds(500));
}

TEST(ClockGettime, CpuTimeOfThreadAndProcess) {
  const nanoseconds thread_before = Now(CLOCK_THREAD_CPUTIME_ID);
  const nanoseconds process_before = Now(CLOCK_PROCESS_CPUTIME_ID);
  TestThread([] { Burn(milliseconds(30)); }).Join();
  EXPECT_LT(Now(CLOCK_THREAD_CPUTIME_ID) - thread_before, milliseconds(30));
  EXPECT_GE(Now(CLOCK_PROCESS_CPUTIME_ID) - process_before, milliseconds(25));
}

TEST(ClockGettime, CpuTimeOfAnotherProcess) {
  ForkedChild child([] { Burn(std::chrono::seconds(1000)); });
  clockid_t clock;
  ASSERT_EQ(clock_getcpuclockid(child.pid(), &clock), 0);
  EXPECT_TRUE(PollUntil([&] { return Now(clock) > milliseconds(1); }));
}

TEST(ClockGettime, UnknownClockIsEinval) {
  timespec now;
  EXPECT_THAT(clock_gettime(99, &now), SyscallFailsWith(EINVAL));
  EXPECT_THAT(clock_getres(99, &now), SyscallFailsWith(EINVAL));
}

TEST(ClockGetres, IsFine) {
  timespec resolution;
  ASSERT_THAT(clock_getres(CLOCK_MONOTONIC, &resolution), SyscallSucceeds());
  EXPECT_EQ(ToNanoseconds(resolution), nanoseconds(1));
  ASSERT_THAT(clock_getres(CLOCK_REALTIME_COARSE, &resolution), SyscallSucceeds());
  EXPECT_GE(ToNanoseconds(resolution), milliseconds(1));
  EXPECT_THAT(clock_getres(CLOCK_MONOTONIC, nullptr), SyscallSucceeds());
}

TEST(Gettimeofday, AgreesWithTheRealTimeClock) {
  timeval now;
  const nanoseconds before = Now(CLOCK_REALTIME);
  ASSERT_THAT(gettimeofday(&now, nullptr), SyscallSucceeds());
  const nanoseconds seen =
      std::chrono::seconds(now.tv_sec) + std::chrono::microseconds(now.tv_usec);
  EXPECT_LT(before - seen, std::chrono::microseconds(1));
  EXPECT_LE(seen, Now(CLOCK_REALTIME));
  EXPECT_THAT(syscall(SYS_gettimeofday, &now, nullptr), SyscallSucceeds());
}

TEST(Time, IsInSeconds) {
  time_t stored = 0;
  const long raw = syscall(SYS_time, &stored);
  EXPECT_EQ(raw, stored);
  EXPECT_LE(std::abs(raw - Now(CLOCK_REALTIME).count() / 1'000'000'000), 1);
}

TEST(ClockSettime, IsNotForOrdinaryUsers) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(DropPrivileges());
                const timespec now = ToTimespec(Now(CLOCK_REALTIME));
                CHILD_CHECK_FAILS(clock_settime(CLOCK_REALTIME, &now), EPERM);
                CHILD_CHECK_FAILS(clock_settime(CLOCK_MONOTONIC, &now), EINVAL);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
