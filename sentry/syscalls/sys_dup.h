// SPDX-License-Identifier: Apache-2.0
//
// Descriptor numbers: dup(2), dup2(2), dup3(2), close(2), close_range(2).
#ifndef SENTRY_SYSCALLS_SYS_DUP_H_
#define SENTRY_SYSCALLS_SYS_DUP_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysDup(Task& task, FdNumber fd);
SyscallResult SysDup2(Task& task, FdNumber old_fd, FdNumber new_fd);
SyscallResult SysDup3(Task& task, FdNumber old_fd, FdNumber new_fd, OpenFlags flags);
SyscallResult SysClose(Task& task, FdNumber fd);
SyscallResult SysCloseRange(Task& task, uint32_t first, uint32_t last, uint32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_DUP_H_
