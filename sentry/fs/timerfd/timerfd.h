// SPDX-License-Identifier: Apache-2.0
//
// timerfd_create(2) (Linux's fs/timerfd.c). Expirations are computed from the clock when somebody
// asks; the timer queue only wakes those who wait.
#ifndef SENTRY_FS_TIMERFD_TIMERFD_H_
#define SENTRY_FS_TIMERFD_TIMERFD_H_

#include <cstdint>

#include "abi/linux/time.h"
#include "sentry/time/timer_queue.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

class TimerFd : public vfs::FileDescription {
 public:
  // EINVAL for a clock or flags that timerfd_create(2) does not know.
  static Result<RefPtr<TimerFd>> Create(time::TimerQueue& queue, clockid_t clock, uint32_t flags);
  TimerFd(vfs::Path path, uint32_t flags, time::TimerQueue& queue, time::Clock clock);

  // timerfd_settime(2): gives the old setting. `flags`: TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET
  // (accepted; ECANCELED is not given yet).
  Result<abi::IntervalTimerSpec> SetTime(uint32_t flags, const abi::IntervalTimerSpec& spec);
  abi::IntervalTimerSpec GetTime();

  Result<size_t> Read(std::span<std::byte> buffer) override;
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override {
    return Errno(EINVAL);
  }
  size_t atomic_size() const override { return sizeof(uint64_t); }
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override { return &wait_queue_; }
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override;  // TFD_IOC_SET_TICKS: ENOTTY.

 private:
  abi::IntervalTimerSpec GetLocked(int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_mu_);
  uint64_t ExpirationsLocked(int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_mu_);

  WaitQueue wait_queue_;
  const time::Clock clock_;
  Mutex<LockRank::kPipe> state_mu_;
  int64_t next_ ABSL_GUARDED_BY(state_mu_) = time::kNever;  // First expiry not yet read.
  int64_t interval_ ABSL_GUARDED_BY(state_mu_) = 0;
  // Last: its callback must not run once the rest is gone.
  time::Timer timer_;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_TIMERFD_TIMERFD_H_
