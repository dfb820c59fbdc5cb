// SPDX-License-Identifier: Apache-2.0
//
// Sending signals: kill(2), tgkill(2), rt_sigqueueinfo(2); pidfds' kin is in sys_pidfd.h.
#ifndef SENTRY_SYSCALLS_SYS_KILL_H_
#define SENTRY_SYSCALLS_SYS_KILL_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysKill(Task& task, int32_t pid, SignalNumber signal);
SyscallResult SysTkill(Task& task, int32_t tid, SignalNumber signal);
SyscallResult SysTgkill(Task& task, int32_t tgid, int32_t tid, SignalNumber signal);
SyscallResult SysRtSigqueueinfo(Task& task, int32_t tgid, SignalNumber signal,
                                UserIn<abi::SignalInfo> info);
SyscallResult SysRtTgsigqueueinfo(Task& task, int32_t tgid, int32_t tid, SignalNumber signal,
                                  UserIn<abi::SignalInfo> info);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_KILL_H_
