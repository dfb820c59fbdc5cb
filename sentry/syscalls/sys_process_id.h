// SPDX-License-Identifier: Apache-2.0
//
// Process numbers, process groups and sessions: getpid(2), setpgid(2), setsid(2).
#ifndef SENTRY_SYSCALLS_SYS_PROCESS_ID_H_
#define SENTRY_SYSCALLS_SYS_PROCESS_ID_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysGetpid(Task& task);
SyscallResult SysGettid(Task& task);
SyscallResult SysGetppid(Task& task);
SyscallResult SysSetpgid(Task& task, int32_t pid, int32_t group);
SyscallResult SysGetpgid(Task& task, int32_t pid);
SyscallResult SysGetpgrp(Task& task);
SyscallResult SysSetsid(Task& task);
SyscallResult SysGetsid(Task& task, int32_t pid);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_PROCESS_ID_H_
