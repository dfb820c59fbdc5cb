// SPDX-License-Identifier: Apache-2.0
//
// pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).
#ifndef SENTRY_SYSCALLS_SYS_PIDFD_H_
#define SENTRY_SYSCALLS_SYS_PIDFD_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysPidfdOpen(Task& task, int32_t pid, uint32_t flags);
SyscallResult SysPidfdSendSignal(Task& task, FdNumber pidfd, SignalNumber signal,
                                 UserIn<abi::SignalInfo> info, uint32_t flags);
SyscallResult SysPidfdGetfd(Task& task, FdNumber pidfd, FdNumber fd, uint32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_PIDFD_H_
