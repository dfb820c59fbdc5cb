// SPDX-License-Identifier: Apache-2.0
//
// capget(2), capset(2).
#ifndef SENTRY_SYSCALLS_SYS_CAPABILITY_H_
#define SENTRY_SYSCALLS_SYS_CAPABILITY_H_

#include <linux/capability.h>

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysCapget(Task& task, UserInOut<__user_cap_header_struct> header, UserAddress data);
SyscallResult SysCapset(Task& task, UserInOut<__user_cap_header_struct> header, UserAddress data);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_CAPABILITY_H_
