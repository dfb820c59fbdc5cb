// SPDX-License-Identifier: Apache-2.0
//
// stat(2), lstat(2), fstat(2), fstatat(2), statx(2).
#ifndef SENTRY_SYSCALLS_SYS_STAT_H_
#define SENTRY_SYSCALLS_SYS_STAT_H_

#include "abi/linux/stat.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysStat(Task& task, UserPath path, UserOut<abi::Stat> stat);
SyscallResult SysLstat(Task& task, UserPath path, UserOut<abi::Stat> stat);
SyscallResult SysFstat(Task& task, FdNumber fd, UserOut<abi::Stat> stat);
SyscallResult SysNewfstatat(Task& task, DirFd dirfd, UserPath path, UserOut<abi::Stat> stat,
                            int32_t flags);
SyscallResult SysStatx(Task& task, DirFd dirfd, UserPath path, uint32_t flags, uint32_t mask,
                       UserOut<abi::Statx> stat);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_STAT_H_
