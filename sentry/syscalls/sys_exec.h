// SPDX-License-Identifier: Apache-2.0
//
// execve(2): copies the strings in; kernel/exec.h acts.
#ifndef SENTRY_SYSCALLS_SYS_EXEC_H_
#define SENTRY_SYSCALLS_SYS_EXEC_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysExecve(Task& task, UserPath path, UserStringList arguments,
                        UserStringList environment);
SyscallResult SysExecveat(Task& task, DirFd dirfd, UserPath path, UserStringList arguments,
                          UserStringList environment, int32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_EXEC_H_
