// SPDX-License-Identifier: Apache-2.0
//
// statfs(2), fstatfs(2).
#ifndef SENTRY_SYSCALLS_SYS_STATFS_H_
#define SENTRY_SYSCALLS_SYS_STATFS_H_

#include "abi/linux/stat.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysStatfs(Task& task, UserPath path, UserOut<abi::Statfs> status);
SyscallResult SysFstatfs(Task& task, FdNumber fd, UserOut<abi::Statfs> status);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_STATFS_H_
