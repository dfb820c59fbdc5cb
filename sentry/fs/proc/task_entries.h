// SPDX-License-Identifier: Apache-2.0
//
// What is in /proc/PID and /proc/PID/task/TID.
#ifndef SENTRY_FS_PROC_TASK_ENTRIES_H_
#define SENTRY_FS_PROC_TASK_ENTRIES_H_

#include <optional>
#include <string_view>

#include "sentry/fs/proc/task_inode.h"

namespace redoubt::proc {

// /proc/PID or, unless id.whole_process, /proc/PID/task/TID.
RefPtr<TaskInode> NewTaskDirectory(RefPtr<vfs::Superblock> superblock, const TaskId& id);

// A name that is a number as procfs writes it: no sign, no leading zero, fits an int.
std::optional<int> ParseNumber(std::string_view name);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_TASK_ENTRIES_H_
