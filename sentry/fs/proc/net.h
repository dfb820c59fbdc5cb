// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/net: the process's network namespace.
#ifndef SENTRY_FS_PROC_NET_H_
#define SENTRY_FS_PROC_NET_H_

#include <span>

#include "sentry/fs/proc/task_inode.h"

namespace redoubt::proc {

std::span<const TaskEntry> NetEntries();

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_NET_H_
