// SPDX-License-Identifier: Apache-2.0
//
// Time as it crosses the system-call boundary.
#ifndef ABI_LINUX_TIME_H_
#define ABI_LINUX_TIME_H_

#include <sys/time.h>
#include <time.h>

#include <cstdint>

namespace redoubt::abi {

struct Timespec {
  int64_t seconds = 0;
  int64_t nanoseconds = 0;
  // Whether nanoseconds are in range and seconds are not negative.
  bool IsValid() const { return seconds >= 0 && nanoseconds >= 0 && nanoseconds < 1'000'000'000; }
};
static_assert(sizeof(Timespec) == sizeof(timespec));

struct Timeval {
  int64_t seconds = 0;
  int64_t microseconds = 0;
};
static_assert(sizeof(Timeval) == sizeof(timeval));

struct IntervalTimerValue {  // struct itimerval.
  Timeval interval;
  Timeval value;
};
struct IntervalTimerSpec {  // struct itimerspec.
  Timespec interval;
  Timespec value;
};

inline constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
// Saturates instead of overflowing.
constexpr int64_t ToNanoseconds(const Timespec& t) {
  if (t.seconds >= INT64_MAX / kNanosecondsPerSecond) return INT64_MAX;
  return t.seconds * kNanosecondsPerSecond + t.nanoseconds;
}
constexpr Timespec FromNanoseconds(int64_t ns) {
  return {ns / kNanosecondsPerSecond, ns % kNanosecondsPerSecond};
}
constexpr int64_t ToNanoseconds(const Timeval& t) {
  if (t.seconds >= INT64_MAX / kNanosecondsPerSecond) return INT64_MAX;
  return t.seconds * kNanosecondsPerSecond + t.microseconds * 1000;
}
constexpr Timeval TimevalFromNanoseconds(int64_t ns) {
  return {ns / kNanosecondsPerSecond, ns % kNanosecondsPerSecond / 1000};
}

}  // namespace redoubt::abi

#endif  // ABI_LINUX_TIME_H_
