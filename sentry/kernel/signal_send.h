// SPDX-License-Identifier: Apache-2.0
//
// Sending signals, as kernel/signal.c: permission is the caller's business except where said.
#ifndef SENTRY_KERNEL_SIGNAL_SEND_H_
#define SENTRY_KERNEL_SIGNAL_SEND_H_

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::kernel {

// To one thread (tgkill), or to a process as a whole (kill). EAGAIN when a real-time queue is full.
Result<void> SendSignal(Task& target, const SignalInfo& info);
Result<void> SendSignal(ThreadGroup& target, const SignalInfo& info);
Result<void> SendSignalLocked(TaskSet& tasks, Task& target, const SignalInfo& info)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_);
Result<void> SendSignalLocked(TaskSet& tasks, ThreadGroup& target, const SignalInfo& info)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_);
// Tells the parent that `group` stopped or went on (CLD_STOPPED, CLD_CONTINUED); SA_NOCLDSTOP
// silences the signal, not wait4.
void NotifyParentOfJobChangeLocked(TaskSet& tasks, ThreadGroup& group, int code)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_);

// To every process of a group; ESRCH when it has none.
Result<void> SendSignalToProcessGroup(Kernel& kernel, int group_id, const SignalInfo& info);

// A synchronous fault: the task cannot ignore or block it (force_sig_info).
void ForceSignal(Task& task, const SignalInfo& info);

// kill(2)'s rule: same user, or CAP_KILL, or SIGCONT within the session. EPERM.
Result<void> CheckSignalPermission(Task& sender, Task& target, int signal);

// kill(2) with every meaning of `pid`.
Result<void> Kill(Task& sender, int pid, int signal);

// rt_sigaction(2): gives the old action.
Result<SignalAction> SetSignalAction(Task& task, int signal, const SignalAction* action);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_SIGNAL_SEND_H_
