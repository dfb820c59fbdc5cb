// SPDX-License-Identifier: Apache-2.0
//
// Process groups and sessions: setpgid(2), setsid(2), and what terminals ask for.
#ifndef SENTRY_KERNEL_JOB_CONTROL_H_
#define SENTRY_KERNEL_JOB_CONTROL_H_

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::kernel {

Result<void> SetProcessGroup(Task& task, int pid, int group_id);
Result<int> GetProcessGroup(Task& task, int pid);  // 0: the caller. ESRCH.
Result<int> GetSession(Task& task, int pid);
Result<int> CreateSession(Task& task);  // setsid(2): EPERM when already a group leader.

// Whether no member of the group has a parent in another group of the session.
bool IsOrphanedLocked(TaskSet& tasks, const ProcessGroup& group)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_JOB_CONTROL_H_
