// SPDX-License-Identifier: Apache-2.0
//
// Limits and resource use: getrlimit(2), prlimit(2), getrusage(2), times(2).
#ifndef SENTRY_SYSCALLS_SYS_LIMITS_H_
#define SENTRY_SYSCALLS_SYS_LIMITS_H_

#include "abi/linux/resource.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysGetrlimit(Task& task, Resource resource, UserOut<kernel::Limit> limit);
SyscallResult SysSetrlimit(Task& task, Resource resource, UserIn<kernel::Limit> limit);
SyscallResult SysPrlimit64(Task& task, int32_t pid, Resource resource, UserIn<kernel::Limit> limit,
                           UserOut<kernel::Limit> old_limit);
SyscallResult SysGetrusage(Task& task, int32_t who, UserOut<abi::ResourceUsage> usage);
SyscallResult SysTimes(Task& task, UserOut<abi::ProcessTimes> times);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_LIMITS_H_
