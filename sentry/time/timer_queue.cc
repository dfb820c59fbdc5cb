// SPDX-License-Identifier: Apache-2.0
#include "sentry/time/timer_queue.h"

#include <poll.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "abi/linux/time.h"
#include "base/check.h"

namespace redoubt::time {

namespace {

constexpr std::array<clockid_t, 3> kHostClocks = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};

// Makes `fd` readable at `deadline`; kNever: not at all.
void Arm(int fd, int64_t deadline) {
  itimerspec spec{};
  if (deadline != kNever) {
    // 0 would disarm; a deadline in the past fires at once.
    const int64_t at = deadline > 0 ? deadline : 1;
    spec.it_value.tv_sec = at / abi::kNanosecondsPerSecond;
    spec.it_value.tv_nsec = at % abi::kNanosecondsPerSecond;
  }
  CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, nullptr) == 0);
}

}  // namespace

// Guarded by the queue's mu_.
struct TimerQueue::Lane {
  OwnedFd fd;
  Clock clock = Clock::kMonotonic;
  std::set<std::pair<int64_t, Timer*>> timers;
  int64_t armed = kNever;  // When the descriptor becomes readable.

  int64_t Earliest() const { return timers.empty() ? kNever : timers.begin()->first; }
};

Timer::Timer(TimerQueue& queue, Clock clock, std::function<void()> callback)
    : queue_(queue), clock_(clock), callback_(std::move(callback)) {}

Timer::~Timer() { queue_.Remove(*this); }

void Timer::Set(int64_t deadline) { queue_.Set(*this, deadline); }

TimerQueue::TimerQueue() = default;

absl::StatusOr<std::unique_ptr<TimerQueue>> TimerQueue::Create() {
  std::unique_ptr<TimerQueue> queue(new TimerQueue);
  for (size_t i = 0; i < kHostClocks.size(); ++i) {
    auto lane = std::make_unique<Lane>();
    lane->clock = static_cast<Clock>(i);
    lane->fd.Reset(timerfd_create(kHostClocks[i], TFD_CLOEXEC | TFD_NONBLOCK));
    if (!lane->fd) {
      return absl::InternalError(std::string("cannot make a host timer: ") + strerror(errno));
    }
    queue->lanes_[i] = std::move(lane);
  }
  queue->thread_ = std::thread([raw = queue.get()] { raw->Run(); });
  return queue;
}

TimerQueue::~TimerQueue() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(&mu_);
    for (const auto& lane : lanes_) CHECK(lane->timers.empty());
    stop_ = true;
    Arm(lanes_[0]->fd.get(), 0);
  }
  thread_.join();
}

TimerQueue::Lane& TimerQueue::LaneOf(const Timer& timer) {
  return *lanes_[static_cast<size_t>(timer.clock())];
}

void TimerQueue::Set(Timer& timer, int64_t deadline) {
  MutexLock lock(&mu_);
  Lane& lane = LaneOf(timer);
  if (timer.deadline_ != kNever) lane.timers.erase({timer.deadline_, &timer});
  timer.deadline_ = deadline;
  if (deadline == kNever) return;
  lane.timers.emplace(deadline, &timer);
  if (deadline >= lane.armed) return;
  lane.armed = deadline;
  Arm(lane.fd.get(), deadline);
}

void TimerQueue::Remove(Timer& timer) {
  MutexLock lock(&mu_);
  // The callback may set the timer again while we wait for it.
  while (true) {
    if (timer.deadline_ != kNever) LaneOf(timer).timers.erase({timer.deadline_, &timer});
    timer.deadline_ = kNever;
    if (running_ != &timer) return;
    CHECK(std::this_thread::get_id() != thread_.get_id());
    callback_done_.Wait(mu_.raw());
  }
}

void TimerQueue::RunExpired(Lane& lane) {
  MutexLock lock(&mu_);
  const int64_t now = Now(lane.clock);
  // Those that callbacks set anew for a time already past wait for the next round: `now` is fixed.
  while (lane.Earliest() <= now) {
    Timer* timer = lane.timers.begin()->second;
    lane.timers.erase(lane.timers.begin());
    timer->deadline_ = kNever;
    running_ = timer;
    mu_.Unlock();
    timer->callback_();
    mu_.Lock();
    running_ = nullptr;
    callback_done_.SignalAll();
  }
  lane.armed = lane.Earliest();
  Arm(lane.fd.get(), lane.armed);
}

void TimerQueue::Run() {
  std::array<pollfd, 3> fds{};
  for (size_t i = 0; i < fds.size(); ++i) fds[i] = {lanes_[i]->fd.get(), POLLIN, 0};
  while (true) {
    if (poll(fds.data(), fds.size(), -1) < 0) {
      CHECK(errno == EINTR);
      continue;
    }
    {
      MutexLock lock(&mu_);
      if (stop_) return;
    }
    for (size_t i = 0; i < fds.size(); ++i) {
      // Arm() makes the descriptor unreadable again: nothing needs to be read from it.
      if (fds[i].revents != 0) RunExpired(*lanes_[i]);
    }
  }
}

}  // namespace redoubt::time
