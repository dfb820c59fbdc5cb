// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/task: the threads of a process.
#ifndef SENTRY_FS_PROC_THREADS_H_
#define SENTRY_FS_PROC_THREADS_H_

#include "sentry/fs/proc/task_inode.h"

namespace redoubt::proc {

RefPtr<TaskInode> MakeThreadsDirectory(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                                       uint64_t number, const TaskId& id);
// Text of /proc/PID/task/TID/children: the processes that this thread's process made.
Result<std::string> Children(const Subject& subject);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_THREADS_H_
