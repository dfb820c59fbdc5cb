// SPDX-License-Identifier: Apache-2.0
//
// Finding another task for a call that takes a tid, and whether the caller may act on it.
#ifndef SENTRY_SYSCALLS_TASK_LOOKUP_H_
#define SENTRY_SYSCALLS_TASK_LOOKUP_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// 0 is the caller. ESRCH.
Result<RefPtr<Task>> FindTask(Task& task, int tid);

// Same user, or CAP_SYS_NICE: EPERM.
Result<void> CheckMaySchedule(const Task& task, const Task& target);
// A lower nice value needs CAP_SYS_NICE or RLIMIT_NICE; else errno `refused`.
Result<void> CheckMayRaisePriority(const Task& task, const Task& target, int nice, int refused);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_TASK_LOOKUP_H_
