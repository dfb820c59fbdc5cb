// SPDX-License-Identifier: Apache-2.0
//
// A task's own signal state: masks, pending signals, and what sigtimedwait and signalfd take.
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_access.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::kernel {

void Task::SetSignalMask(SignalSet mask) {
  MutexLock lock(&kernel_->tasks().mu_);
  SignalSet blocked = mask & ~signal_mask();
  TaskAccess::StoreMaskLocked(*this, mask);
  // A signal that this task might have taken is another's now (retarget_shared_pending() of Linux).
  SignalSet left = group_->pending.set() & blocked;
  for (const RefPtr<Task>& other : group_->tasks) {
    if (left.empty()) break;
    if (other.get() == this || (left & ~other->signal_mask()).empty()) continue;
    TaskAccess::InterruptLocked(*other);
    left = left & other->signal_mask();
  }
  // What was pending and is unblocked now is delivered on the way back to the guest.
  SignalSet deliverable = (pending_.set() | group_->pending.set()) & ~signal_mask();
  if (!deliverable.empty()) interrupted_.store(true, std::memory_order_release);
}

void Task::SetTemporaryMask(SignalSet mask) {
  SignalSet old = signal_mask();
  SetSignalMask(mask);
  MutexLock lock(&kernel_->tasks().mu_);
  if (!saved_mask_.has_value()) saved_mask_ = old;
}

void Task::RestoreTemporaryMask() {
  MutexLock lock(&kernel_->tasks().mu_);
  if (!saved_mask_.has_value()) return;
  TaskAccess::StoreMaskLocked(*this, *saved_mask_);
  saved_mask_.reset();
}

SignalSet Task::pending_signals() const {
  MutexLock lock(&kernel_->tasks().mu_);
  return pending_.set() | group_->pending.set();
}

std::optional<SignalInfo> Task::TakeSignal(SignalSet set) {
  MutexLock lock(&kernel_->tasks().mu_);
  return TaskAccess::TakeSignalLocked(*this, set);
}

void Task::SetAwaitedSignals(SignalSet set) {
  MutexLock lock(&kernel_->tasks().mu_);
  awaited_signals_ = set;
  if (!set.empty()) return;
  // The wait is over: an interruption that only meant an awaited signal is none any more.
  SignalSet deliverable = (pending_.set() | group_->pending.set()) & ~signal_mask();
  bool other = must_exit_ || group_->exiting || group_->stopping || !deliverable.empty();
  if (!other) TaskAccess::ClearInterruptLocked(*this);
}

}  // namespace redoubt::kernel
