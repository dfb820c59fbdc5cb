// SPDX-License-Identifier: Apache-2.0
//
// inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2).
#ifndef SENTRY_SYSCALLS_SYS_INOTIFY_H_
#define SENTRY_SYSCALLS_SYS_INOTIFY_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysInotifyInit(Task& task);
SyscallResult SysInotifyInit1(Task& task, uint32_t flags);
SyscallResult SysInotifyAddWatch(Task& task, FdNumber fd, UserPath path, uint32_t mask);
SyscallResult SysInotifyRmWatch(Task& task, FdNumber fd, int32_t wd);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_INOTIFY_H_
