// SPDX-License-Identifier: Apache-2.0
//
// Waiting for signals: pause(2), rt_sigsuspend(2), rt_sigtimedwait(2), signalfd(2).
#ifndef SENTRY_SYSCALLS_SYS_SIGNAL_WAIT_H_
#define SENTRY_SYSCALLS_SYS_SIGNAL_WAIT_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysPause(Task& task);
SyscallResult SysRtSigsuspend(Task& task, UserIn<abi::SignalSet> mask, uint64_t set_size);
SyscallResult SysRtSigtimedwait(Task& task, UserIn<abi::SignalSet> set,
                                UserOut<abi::SignalInfo> info, UserIn<abi::Timespec> timeout,
                                uint64_t set_size);
SyscallResult SysSignalfd(Task& task, FdNumber fd, UserIn<abi::SignalSet> set, uint64_t set_size);
SyscallResult SysSignalfd4(Task& task, FdNumber fd, UserIn<abi::SignalSet> set, uint64_t set_size,
                           uint32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SIGNAL_WAIT_H_
