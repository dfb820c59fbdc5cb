// SPDX-License-Identifier: Apache-2.0
//
// TaskAccess: the door to a Task's private state for the kernel's topic files (signals, clone,
// exec, exit). Not for use outside sentry/kernel. Everything with "Locked" needs TaskSet::mu_.
#ifndef SENTRY_KERNEL_TASK_ACCESS_H_
#define SENTRY_KERNEL_TASK_ACCESS_H_

#include <utility>

#include "sentry/kernel/interval_timers.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::kernel {

struct TaskAccess {
  using State = Task::State;

  static State& StateLocked(Task& task) { return task.state_; }
  static bool& StartedLocked(Task& task) { return task.started_; }
  static bool& ExitingLocked(Task& task) { return task.exiting_; }
  static bool& MustExitLocked(Task& task) { return task.must_exit_; }
  static bool& StubDead(Task& task) { return task.stub_dead_; }
  static int& ExitStatusLocked(Task& task) { return task.exit_status_; }
  static PendingSignals& PendingLocked(Task& task) { return task.pending_; }
  static SignalSet AwaitedLocked(Task& task) { return task.awaited_signals_; }
  static std::optional<SignalSet>& SavedMaskLocked(Task& task) { return task.saved_mask_; }
  // The next pending signal of `wanted`: the task's own first, then its process's.
  static std::optional<SignalInfo> TakeSignalLocked(Task& task, SignalSet wanted) {
    std::optional<SignalInfo> info = task.pending_.Take(wanted);
    if (!info.has_value()) info = task.group_->pending.Take(wanted);
    if (info.has_value() && info->code == SI_TIMER) {
      task.group_->timers().NoteDelivered(info->fields.timer.timer_id, info->fields.timer.overrun);
    }
    return info;
  }
  static RefPtr<VforkDone>& VforkDoneLocked(Task& task) { return task.vfork_done_; }
  static void SetTidLocked(Task& task, int tid) { task.tid_.store(tid); }
  static void StoreMaskLocked(Task& task, SignalSet mask) {
    task.signal_mask_.store((mask & ~abi::kUnblockableSignals).bits());
  }
  // The task looks at its state soon: it stops sleeping, or leaves guest code.
  static void InterruptLocked(Task& task) {
    task.interrupted_.store(true, std::memory_order_release);
    task.parker_.Unpark();
    if (task.started_ && !task.exiting_) task.context_->Interrupt();
  }
  static void ClearInterruptLocked(Task& task) {
    task.interrupted_.store(false, std::memory_order_release);
    if (task.context_ != nullptr) task.context_->ClearInterrupt();
  }
  static std::optional<int>& RestartCode(Task& task) { return task.restart_code_; }
  static const platform::Event& LastFault(Task& task) { return task.last_fault_; }
  // Takes fd table, fs and memory away from an exiting task.
  struct Resources {
    RefPtr<FdTable> fd_table;
    RefPtr<FsContext> fs;
    RefPtr<mm::MemoryMap> memory;
  };
  static Resources TakeResources(Task& task) {
    MutexLock lock(&task.mu_);
    return {std::move(task.fd_table_), std::move(task.fs_), std::move(task.memory_)};
  }
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_TASK_ACCESS_H_
