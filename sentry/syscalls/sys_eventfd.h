// SPDX-License-Identifier: Apache-2.0
//
// eventfd(2), eventfd2(2).
#ifndef SENTRY_SYSCALLS_SYS_EVENTFD_H_
#define SENTRY_SYSCALLS_SYS_EVENTFD_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysEventfd(Task& task, uint32_t initial);
SyscallResult SysEventfd2(Task& task, uint32_t initial, uint32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_EVENTFD_H_
