// SPDX-License-Identifier: Apache-2.0
//
// prctl(2), arch_prctl(2), personality(2).
#ifndef SENTRY_SYSCALLS_SYS_PRCTL_H_
#define SENTRY_SYSCALLS_SYS_PRCTL_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysPrctl(Task& task, int32_t option, uint64_t second, uint64_t third, uint64_t fourth,
                       uint64_t fifth);
SyscallResult SysArchPrctl(Task& task, int32_t option, UserAddress address);
SyscallResult SysPersonality(Task& task, uint32_t persona);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_PRCTL_H_
