// SPDX-License-Identifier: Apache-2.0
//
// open(2), creat(2), openat(2), openat2(2).
#ifndef SENTRY_SYSCALLS_SYS_OPEN_H_
#define SENTRY_SYSCALLS_SYS_OPEN_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysOpen(Task& task, UserPath path, OpenFlags flags, FileMode mode);
SyscallResult SysCreat(Task& task, UserPath path, FileMode mode);
SyscallResult SysOpenat(Task& task, DirFd dirfd, UserPath path, OpenFlags flags, FileMode mode);
SyscallResult SysOpenat2(Task& task, DirFd dirfd, UserPath path, UserAddress how, uint64_t size);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_OPEN_H_
