// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/timerfd/timerfd.h"

#include <sys/timerfd.h>

#include <cstring>
#include <utility>

#include "sentry/fs/anon/anonymous_inode.h"

namespace redoubt::fs {

Result<RefPtr<TimerFd>> TimerFd::Create(time::TimerQueue& queue, clockid_t clock, uint32_t flags) {
  if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) != 0 || clock == CLOCK_TAI) return Errno(EINVAL);
  const time::Clock timer_clock = TRY(time::TimerClock(clock));
  vfs::Path path = MakeAnonymousPath(AnonymousKind::kAnonymous, "timerfd", 0600, 0, 0);
  return MakeRef<TimerFd>(std::move(path), O_RDWR | (flags & TFD_NONBLOCK), queue, timer_clock);
}

TimerFd::TimerFd(vfs::Path path, uint32_t flags, time::TimerQueue& queue, time::Clock clock)
    : FileDescription(std::move(path), flags),
      clock_(clock),
      timer_(queue, clock, [this] { wait_queue_.Wake(EPOLLIN | EPOLLRDNORM); }) {}

Result<abi::IntervalTimerSpec> TimerFd::SetTime(uint32_t flags,
                                                const abi::IntervalTimerSpec& spec) {
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0 || !spec.value.IsValid() ||
      !spec.interval.IsValid()) {
    return Errno(EINVAL);
  }
  const int64_t value = abi::ToNanoseconds(spec.value);
  abi::IntervalTimerSpec old;
  MutexLock lock(&state_mu_);
  old = GetLocked(time::Now(clock_));
  interval_ = abi::ToNanoseconds(spec.interval);
  if (value == 0) {
    next_ = time::kNever;
  } else {
    next_ = (flags & TFD_TIMER_ABSTIME) != 0 ? value : time::DeadlineAfter(clock_, value);
  }
  timer_.Set(next_);
  return old;
}

abi::IntervalTimerSpec TimerFd::GetLocked(int64_t now) {
  abi::IntervalTimerSpec spec{.interval = abi::FromNanoseconds(interval_), .value = {}};
  if (next_ == time::kNever) return spec;
  int64_t remaining = next_ - now;
  // An unread interval timer runs on; an expired one-shot shows zero.
  if (remaining <= 0 && interval_ > 0) remaining = interval_ - (-remaining % interval_);
  if (remaining > 0) spec.value = abi::FromNanoseconds(remaining);
  return spec;
}

abi::IntervalTimerSpec TimerFd::GetTime() {
  MutexLock lock(&state_mu_);
  return GetLocked(time::Now(clock_));
}

uint64_t TimerFd::ExpirationsLocked(int64_t now) {
  if (next_ > now) return 0;
  if (interval_ == 0) return 1;
  return static_cast<uint64_t>((now - next_) / interval_) + 1;
}

Result<size_t> TimerFd::Read(std::span<std::byte> buffer) {
  if (buffer.size() < sizeof(uint64_t)) return Errno(EINVAL);
  MutexLock lock(&state_mu_);
  const uint64_t ticks = ExpirationsLocked(time::Now(clock_));
  if (ticks == 0) {
    // The callback may have come before its deadline when a clock was set back.
    if (next_ != time::kNever) timer_.Set(next_);
    return Errno(EAGAIN);
  }
  if (interval_ == 0) {
    next_ = time::kNever;
  } else {
    next_ += static_cast<int64_t>(ticks) * interval_;
  }
  timer_.Set(next_);
  std::memcpy(buffer.data(), &ticks, sizeof(ticks));
  return sizeof(ticks);
}

EventMask TimerFd::Readiness(EventMask mask) {
  MutexLock lock(&state_mu_);
  if (ExpirationsLocked(time::Now(clock_)) == 0) return 0;
  return mask & (EPOLLIN | EPOLLRDNORM);
}

Result<uint64_t> TimerFd::Ioctl(const vfs::IoctlRequest& request) { return Errno(ENOTTY); }

}  // namespace redoubt::fs
