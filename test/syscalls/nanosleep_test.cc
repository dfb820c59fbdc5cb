// SPDX-License-Identifier: Apache-2.0
//
// nanosleep(2), clock_nanosleep(2).

#include <time.h>
#include <unistd.h>

#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

TEST(Nanosleep, SleepsAtLeastThatLong) {
  for (const int duration : {0, 1, 10}) {
    const timespec request = ToTimespec(milliseconds(duration));
    const Stopwatch watch;
    ASSERT_THAT(nanosleep(&request, nullptr), SyscallSucceeds());
    EXPECT_GE(watch.Elapsed(), milliseconds(duration));
  }
}

TEST(Nanosleep, BadTimesAreEinval) {
  const timespec negative = {.tv_sec = -1, .tv_nsec = 0};
  const timespec too_many = {.tv_sec = 0, .tv_nsec = 1'000'000'000};
  EXPECT_THAT(nanosleep(&negative, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(nanosleep(&too_many, nullptr), SyscallFailsWith(EINVAL));
}

TEST(Nanosleep, InterruptedTellsTheTimeLeft) {
  // Also with SA_RESTART: a handler always ends a sleep.
  ScopedHandler handler(SIGUSR1, CountSignal, SA_RESTART);
  timespec left = {};
  int error = 0;
  TestThread sleeper([&] {
    const timespec request = {.tv_sec = 100, .tv_nsec = 0};
    error = nanosleep(&request, &left) == -1 ? errno : 0;
  });
  AwaitSleeping(getpid(), sleeper.tid());
  pthread_kill(sleeper.handle(), SIGUSR1);
  sleeper.Join();
  EXPECT_EQ(error, EINTR);
  EXPECT_GT(left.tv_sec, 50);
  EXPECT_LT(ToNanoseconds(left), std::chrono::seconds(100));
}

TEST(Nanosleep, SignalWithoutHandlerDoesNotShortenIt) {
  const Stopwatch watch;
  const pid_t sleeping = gettid();
  TestThread sender([&] {
    AwaitSleeping(getpid(), sleeping);
    tgkill(getpid(), sleeping, SIGCHLD);  // Ignored by default.
  });
  const timespec request = ToTimespec(milliseconds(50));
  EXPECT_THAT(nanosleep(&request, nullptr), SyscallSucceeds());
  EXPECT_GE(watch.Elapsed(), milliseconds(50));
}

TEST(ClockNanosleep, AbsoluteTime) {
  const nanoseconds until = Now() + milliseconds(15);
  const timespec request = ToTimespec(until);
  EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &request, nullptr), 0);
  EXPECT_GE(Now(), until);
  EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &request, nullptr), 0);  // Past.
  const timespec real = ToTimespec(Now(CLOCK_REALTIME) + milliseconds(5));
  EXPECT_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &real, nullptr), 0);
}

TEST(ClockNanosleep, BadClocks) {
  const timespec request = {};
  EXPECT_EQ(clock_nanosleep(99, 0, &request, nullptr), EINVAL);
  EXPECT_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &request, nullptr), EINVAL);
}

TEST(ClockNanosleep, InterruptedAbsoluteSleepLeavesTheRestAlone) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  timespec left = {.tv_sec = 77, .tv_nsec = 0};
  int error = 0;
  TestThread sleeper([&] {
    const timespec request = ToTimespec(Now() + std::chrono::seconds(100));
    error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &request, &left);
  });
  AwaitSleeping(getpid(), sleeper.tid());
  pthread_kill(sleeper.handle(), SIGUSR1);
  sleeper.Join();
  EXPECT_EQ(error, EINTR);
  EXPECT_EQ(left.tv_sec, 77);
}

}  // namespace
}  // namespace redoubt::test
