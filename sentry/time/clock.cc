// SPDX-License-Identifier: Apache-2.0
#include "sentry/time/clock.h"

#include "abi/linux/time.h"
#include "base/check.h"

namespace redoubt::time {

namespace {

clockid_t HostClock(Clock clock) {
  switch (clock) {
    case Clock::kRealtime:
      return CLOCK_REALTIME;
    case Clock::kMonotonic:
      return CLOCK_MONOTONIC;
    case Clock::kBoottime:
      return CLOCK_BOOTTIME;
  }
  UNREACHABLE();
}

// Whether a guest may read `clock` as the host has it.
bool IsReadable(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return true;
    default:
      return false;
  }
}

}  // namespace

int64_t Now(Clock clock) {
  timespec now{};
  CHECK(clock_gettime(HostClock(clock), &now) == 0);
  return now.tv_sec * abi::kNanosecondsPerSecond + now.tv_nsec;
}

Result<int64_t> ReadClock(clockid_t clock) {
  if (!IsReadable(clock)) return Errno(EINVAL);
  // The _ALARM clocks read as their base does, on hosts without an RTC too.
  if (clock == CLOCK_REALTIME_ALARM) clock = CLOCK_REALTIME;
  if (clock == CLOCK_BOOTTIME_ALARM) clock = CLOCK_BOOTTIME;
  timespec now{};
  if (clock_gettime(clock, &now) != 0) return Errno(EINVAL);
  return now.tv_sec * abi::kNanosecondsPerSecond + now.tv_nsec;
}

Result<Clock> TimerClock(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return Clock::kRealtime;
    case CLOCK_MONOTONIC:
      return Clock::kMonotonic;
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return Clock::kBoottime;
    default:
      return Errno(EINVAL);
  }
}

Result<int64_t> ClockResolution(clockid_t clock) {
  if (!IsReadable(clock)) return Errno(EINVAL);
  if (clock != CLOCK_REALTIME_COARSE && clock != CLOCK_MONOTONIC_COARSE) return int64_t{1};
  timespec resolution{};
  if (clock_getres(clock, &resolution) != 0) return Errno(EINVAL);
  return resolution.tv_sec * abi::kNanosecondsPerSecond + resolution.tv_nsec;
}

int64_t DeadlineAfter(Clock clock, int64_t delay) {
  int64_t deadline = 0;
  if (__builtin_add_overflow(Now(clock), delay, &deadline)) return INT64_MAX;
  return deadline;
}

}  // namespace redoubt::time
