// SPDX-License-Identifier: Apache-2.0
//
// seccomp(2), and what prctl(2) has of it.
#ifndef SENTRY_SYSCALLS_SYS_SECCOMP_H_
#define SENTRY_SYSCALLS_SYS_SECCOMP_H_

#include <linux/seccomp.h>

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysSeccomp(Task& task, uint32_t operation, uint32_t flags, UserAddress argument);

SyscallResult SetSeccompStrict(Task& task);
SyscallResult SetSeccompFilter(Task& task, uint32_t flags, UserAddress program);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SECCOMP_H_
