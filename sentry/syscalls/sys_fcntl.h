// SPDX-License-Identifier: Apache-2.0
//
// fcntl(2): a function for each command.
#ifndef SENTRY_SYSCALLS_SYS_FCNTL_H_
#define SENTRY_SYSCALLS_SYS_FCNTL_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysFcntl(Task& task, FdNumber fd, int32_t command, uint64_t argument);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_FCNTL_H_
