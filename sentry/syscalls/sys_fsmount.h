// SPDX-License-Identifier: Apache-2.0
//
// fsopen(2), fsconfig(2), fsmount(2), fspick(2): file systems made step by step.
#ifndef SENTRY_SYSCALLS_SYS_FSMOUNT_H_
#define SENTRY_SYSCALLS_SYS_FSMOUNT_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysFsopen(Task& task, UserString type, uint32_t flags);
SyscallResult SysFsconfig(Task& task, FdNumber fd, uint32_t command, UserString key,
                          UserAddress value, int32_t aux);
SyscallResult SysFsmount(Task& task, FdNumber fd, uint32_t flags, uint32_t attributes);
SyscallResult SysFspick(Task& task, DirFd dirfd, UserPath path, uint32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_FSMOUNT_H_
