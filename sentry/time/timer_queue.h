// SPDX-License-Identifier: Apache-2.0
//
// TimerQueue: one thread that calls back when a deadline has come. timerfd, itimers, alarm, POSIX
// timers and block time-outs use it.
//
//   class Alarm { time::Timer timer_{queue, time::Clock::kMonotonic, [this] { OnExpired(); }}; };
//   timer_.Set(time::DeadlineAfter(time::Clock::kMonotonic, delay));
//
// The callback runs on the queue's thread with no lock held: it may take any lock, set another
// deadline for its own timer, and should be short. A callback may come late, and after a Cancel()
// or Set() that raced with it: what has expired is decided by the owner, under its own lock, from
// the clock. So no expiry is counted here.
//
// How it sleeps: in poll(2) on host timerfds, one per clock, so that setting the realtime
// clock moves its timers and an idle queue never wakes. Setting a timer costs a host call only when
// it becomes the earliest; cancelling costs none (the thread may wake for nothing).
#ifndef SENTRY_TIME_TIMER_QUEUE_H_
#define SENTRY_TIME_TIMER_QUEUE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "base/sync/mutex.h"
#include "sentry/time/clock.h"

namespace redoubt::time {

class TimerQueue;

inline constexpr int64_t kNever = INT64_MAX;

// One deadline. Thread-safe. Belongs to its owner; must not outlive its queue.
class Timer {
 public:
  Timer(TimerQueue& queue, Clock clock, std::function<void()> callback);
  // Waits for the callback if it is running: hold no lock that it takes. The callback must not
  // destroy its own timer.
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Calls back once at `deadline`, at once if that has passed; replaces an earlier deadline.
  // kNever cancels. Never waits.
  void Set(int64_t deadline);
  void Cancel() { Set(kNever); }
  Clock clock() const { return clock_; }

 private:
  friend class TimerQueue;
  TimerQueue& queue_;
  const Clock clock_;
  const std::function<void()> callback_;
  int64_t deadline_ = kNever;  // Guarded by the queue's mu_.
};

class TimerQueue {
 public:
  // Opens its host descriptors and starts the thread.
  static absl::StatusOr<std::unique_ptr<TimerQueue>> Create();
  // Ends the thread. No timer may be left.
  ~TimerQueue();

 private:
  friend class Timer;
  struct Lane;  // The timers of one clock.

  TimerQueue();
  void Set(Timer& timer, int64_t deadline);
  void Remove(Timer& timer);
  void Run();
  void RunExpired(Lane& lane);
  Lane& LaneOf(const Timer& timer);

  Mutex<LockRank::kTimers> mu_;
  absl::CondVar callback_done_;
  Timer* running_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::array<std::unique_ptr<Lane>, 3> lanes_;  // By Clock.
  std::thread thread_;
};

}  // namespace redoubt::time

#endif  // SENTRY_TIME_TIMER_QUEUE_H_
