// SPDX-License-Identifier: Apache-2.0
//
// flock(2).
#ifndef SENTRY_SYSCALLS_SYS_FLOCK_H_
#define SENTRY_SYSCALLS_SYS_FLOCK_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysFlock(Task& task, FdNumber fd, int32_t operation);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_FLOCK_H_
