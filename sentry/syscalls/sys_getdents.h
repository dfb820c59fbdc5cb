// SPDX-License-Identifier: Apache-2.0
//
// getdents(2), getdents64(2).
#ifndef SENTRY_SYSCALLS_SYS_GETDENTS_H_
#define SENTRY_SYSCALLS_SYS_GETDENTS_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysGetdents(Task& task, FdNumber fd, UserBytesOut buffer, uint32_t count);
SyscallResult SysGetdents64(Task& task, FdNumber fd, UserBytesOut buffer, uint32_t count);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_GETDENTS_H_
