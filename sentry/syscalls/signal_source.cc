// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/signal_source.h"

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/thread_group.h"
#include "sentry/kernel/current_task.h"

namespace redoubt::syscalls {

namespace {

using kernel::Task;

// Holds its process, whose signal_events it lends to waiters.
class TaskSignalSource final : public fs::SignalSource {
 public:
  explicit TaskSignalSource(RefPtr<kernel::ThreadGroup> group) : group_(std::move(group)) {}

  std::optional<abi::SignalInfo> Dequeue(abi::SignalSet set) override {
    if (Task* task = kernel::CurrentTask()) return task->TakeSignal(set);
    MutexLock lock(&group_->kernel().tasks().mu_);
    return group_->pending.Take(set);
  }

  bool HasPending(abi::SignalSet set) override {
    if (Task* task = kernel::CurrentTask()) return !(task->pending_signals() & set).empty();
    MutexLock lock(&group_->kernel().tasks().mu_);
    return !(group_->pending.set() & set).empty();
  }

  WaitQueue& wait_queue() override { return group_->signal_events; }

 private:
  const RefPtr<kernel::ThreadGroup> group_;
};

}  // namespace

RefPtr<fs::SignalSource> MakeSignalSource(Task& creator) {
  return MakeRef<TaskSignalSource>(creator.group());
}

}  // namespace redoubt::syscalls
