// SPDX-License-Identifier: Apache-2.0
//
// Sleeping: a handler that must wait parks its thread; whoever has news unparks it.
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_access.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::kernel {

namespace {

class SleepingMark {
 public:
  explicit SleepingMark(std::atomic<bool>& flag) : flag_(flag) {
    flag_.store(true, std::memory_order_relaxed);
  }
  ~SleepingMark() { flag_.store(false, std::memory_order_relaxed); }

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

void Task::Wake() {
  woken_.store(true, std::memory_order_release);
  parker_.Unpark();
}

Result<void> Task::Sleep(std::optional<int64_t> deadline_ns) {
  SleepingMark mark(sleeping_);
  while (true) {
    if (woken_.load(std::memory_order_acquire)) return {};
    if (interrupted()) return Errno(ERESTARTSYS);
    if (!parker_.Park(deadline_ns) && !woken_.load(std::memory_order_acquire)) {
      return Errno(ETIMEDOUT);
    }
  }
}

Result<void> Task::SleepKillable() {
  SleepingMark mark(sleeping_);
  while (true) {
    if (woken_.load(std::memory_order_acquire)) return {};
    if (interrupted()) {
      MutexLock lock(&kernel_->tasks().mu_);
      if (must_exit_ || group_->exiting || pending_.set().Has(SIGKILL) ||
          group_->pending.set().Has(SIGKILL)) {
        return Errno(ERESTARTSYS);
      }
    }
    parker_.Park(std::nullopt);
  }
}

}  // namespace redoubt::kernel
