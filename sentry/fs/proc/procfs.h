// SPDX-License-Identifier: Apache-2.0
//
// procfs (proc(5), Linux's fs/proc): the processes of the sandbox and what the kernel tells about
// itself. One line per file:
//   system_files.cc    /proc/meminfo, /proc/sys/... : a fixed fs::TextTree
//   task_entries.cc    /proc/PID and /proc/PID/task/TID; made anew for whoever looks
// The texts are made by functions grouped by topic: process_*.h, system_*.h, sysctl.h, net.h.
//
// Locks: lookups and revalidation run under the superblock's tree lock and take only kTasks, kTask
// and kFdTable; texts are made without locks, and none is held while guest memory is read.
#ifndef SENTRY_FS_PROC_PROCFS_H_
#define SENTRY_FS_PROC_PROCFS_H_

#include "base/ref_counted.h"
#include "sentry/vfs/inode.h"

namespace redoubt::kernel {
class Kernel;
}

namespace redoubt::proc {

// The root of a new instance, to be mounted on /proc. `kernel` outlives it.
RefPtr<vfs::Inode> NewRoot(kernel::Kernel& kernel);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_PROCFS_H_
