// SPDX-License-Identifier: Apache-2.0
//
// exit(2), exit_group(2), wait4(2), waitid(2).
#ifndef SENTRY_SYSCALLS_SYS_EXIT_H_
#define SENTRY_SYSCALLS_SYS_EXIT_H_

#include "abi/linux/resource.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysExit(Task& task, int32_t code);
SyscallResult SysExitGroup(Task& task, int32_t code);
SyscallResult SysWait4(Task& task, int32_t pid, UserOut<int32_t> status, int32_t options,
                       UserOut<abi::ResourceUsage> usage);
SyscallResult SysWaitid(Task& task, int32_t which, int32_t id, UserOut<abi::SignalInfo> info,
                        int32_t options, UserOut<abi::ResourceUsage> usage);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_EXIT_H_
