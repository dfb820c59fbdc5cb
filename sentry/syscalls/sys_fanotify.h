// SPDX-License-Identifier: Apache-2.0
//
// fanotify_init(2), fanotify_mark(2).
#ifndef SENTRY_SYSCALLS_SYS_FANOTIFY_H_
#define SENTRY_SYSCALLS_SYS_FANOTIFY_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysFanotifyInit(Task& task, uint32_t flags, uint32_t file_flags);
SyscallResult SysFanotifyMark(Task& task, FdNumber fd, uint32_t flags, uint64_t mask, DirFd dirfd,
                              UserPath path);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_FANOTIFY_H_
