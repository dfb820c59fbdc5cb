// SPDX-License-Identifier: Apache-2.0
//
// ioctl(2): what every file answers is here, everything else is the file's.
#ifndef SENTRY_SYSCALLS_SYS_IOCTL_H_
#define SENTRY_SYSCALLS_SYS_IOCTL_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysIoctl(Task& task, FdNumber fd, uint32_t command, uint64_t argument);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_IOCTL_H_
