// SPDX-License-Identifier: Apache-2.0
//
// Signal actions, masks and stacks: rt_sigaction(2), rt_sigprocmask(2), sigaltstack(2).
#ifndef SENTRY_SYSCALLS_SYS_SIGNAL_H_
#define SENTRY_SYSCALLS_SYS_SIGNAL_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysRtSigaction(Task& task, SignalNumber signal, UserIn<abi::SignalAction> action,
                             UserOut<abi::SignalAction> old_action, uint64_t set_size);
SyscallResult SysRtSigprocmask(Task& task, MaskHow how, UserIn<abi::SignalSet> set,
                               UserOut<abi::SignalSet> old_set, uint64_t set_size);
SyscallResult SysRtSigpending(Task& task, UserOut<abi::SignalSet> set, uint64_t set_size);
SyscallResult SysSigaltstack(Task& task, UserIn<abi::SignalStack> stack,
                             UserOut<abi::SignalStack> old_stack);
SyscallResult SysRtSigreturn(Task& task);
SyscallResult SysRestartSyscall(Task& task);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SIGNAL_H_
