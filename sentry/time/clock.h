// SPDX-License-Identifier: Apache-2.0
//
// The clocks that guests see are the host's; the sentry reads them as the guest's vDSO does.
#ifndef SENTRY_TIME_CLOCK_H_
#define SENTRY_TIME_CLOCK_H_

#include <time.h>

#include <cstdint>

#include "base/result.h"

namespace redoubt::time {

enum class Clock : uint8_t {
  kRealtime,   // Can be set: jumps.
  kMonotonic,  // Stands while the host sleeps.
  kBoottime,   // Runs while the host sleeps.
};

// Nanoseconds since the clock's epoch.
int64_t Now(Clock clock);

// clock_gettime(2) of CLOCK_REALTIME, _MONOTONIC, _BOOTTIME, their variants (_COARSE, _RAW, _ALARM)
// and CLOCK_TAI. EINVAL for others: CPU-time clocks are the kernel's.
Result<int64_t> ReadClock(clockid_t clock);
// The clocks that timers and sleeps may use: timerfd_create(2), clock_nanosleep(2). CLOCK_TAI is
// taken for the realtime clock (its offset is 0 unless the host's NTP daemon sets it).
Result<Clock> TimerClock(clockid_t clock);
// clock_getres(2), nanoseconds.
Result<int64_t> ClockResolution(clockid_t clock);

// `delay` nanoseconds from now; saturates at INT64_MAX, "never".
int64_t DeadlineAfter(Clock clock, int64_t delay);

}  // namespace redoubt::time

#endif  // SENTRY_TIME_CLOCK_H_
