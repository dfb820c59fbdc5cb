// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/fd and fdinfo: the open files of a process (fs/proc/fd.c).
#ifndef SENTRY_FS_PROC_DESCRIPTORS_H_
#define SENTRY_FS_PROC_DESCRIPTORS_H_

#include "sentry/fs/proc/task_inode.h"

namespace redoubt::proc {

RefPtr<TaskInode> MakeFdDirectory(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                                  uint64_t number, const TaskId& id);
RefPtr<TaskInode> MakeFdinfoDirectory(const TaskEntry& entry, RefPtr<vfs::Superblock> superblock,
                                      uint64_t number, const TaskId& id);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_DESCRIPTORS_H_
