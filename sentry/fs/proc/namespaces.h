// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/ns: the namespaces of a process (fs/nsfs.c). There is one of each kind, with the
// numbers that Linux gives the initial ones; they can be read, opened and compared, not entered.
#ifndef SENTRY_FS_PROC_NAMESPACES_H_
#define SENTRY_FS_PROC_NAMESPACES_H_

#include <span>

#include "sentry/fs/proc/task_inode.h"

namespace redoubt::proc {

std::span<const TaskEntry> NamespaceEntries();

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_NAMESPACES_H_
