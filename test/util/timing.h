// SPDX-License-Identifier: Apache-2.0
//
// Time in tests: a stopwatch, struct conversions and polling with a deadline.
//
// Tests assert lower bounds ("slept at least 20 ms") and only very generous upper bounds, since the
// machine may be busy. They do not sleep to let another thread get somewhere: AwaitSleeping() waits
// until that thread is seen to be blocked.

#ifndef REDOUBT_TEST_UTIL_TIMING_H_
#define REDOUBT_TEST_UTIL_TIMING_H_

#include <sys/time.h>
#include <sys/types.h>
#include <time.h>

#include <chrono>

namespace redoubt::test {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr timespec ToTimespec(nanoseconds t) {
  return timespec{.tv_sec = t.count() / 1'000'000'000, .tv_nsec = t.count() % 1'000'000'000};
}
constexpr timeval ToTimeval(nanoseconds t) {
  return timeval{.tv_sec = t.count() / 1'000'000'000, .tv_usec = t.count() % 1'000'000'000 / 1'000};
}
constexpr nanoseconds ToNanoseconds(const timespec& t) {
  return std::chrono::seconds(t.tv_sec) + nanoseconds(t.tv_nsec);
}

inline nanoseconds Now(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now;
  clock_gettime(clock, &now);
  return ToNanoseconds(now);
}

class Stopwatch {
 public:
  nanoseconds Elapsed() const { return Now() - start_; }

 private:
  nanoseconds start_ = Now();
};

// An upper bound that only a hang exceeds.
inline constexpr milliseconds kForever{20'000};

// Asks `condition` every millisecond until it holds; false after `limit`.
template <typename Condition>
bool PollUntil(Condition condition, nanoseconds limit = kForever) {
  const Stopwatch watch;
  while (!condition()) {
    if (watch.Elapsed() > limit) return false;
    const timespec pause = ToTimespec(milliseconds(1));
    nanosleep(&pause, nullptr);
  }
  return true;
}

// Waits until the thread is blocked in a system call, by its state in /proc. Where the state cannot
// be read it settles for half a second.
void AwaitSleeping(pid_t pid, pid_t tid);
inline void AwaitSleeping(pid_t pid) { AwaitSleeping(pid, pid); }

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_UTIL_TIMING_H_
