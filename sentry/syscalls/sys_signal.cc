// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_signal.h"

#include "sentry/kernel/signal_send.h"

namespace redoubt::syscalls {

namespace {

bool OnSignalStack(const abi::SignalStack& stack, uint64_t sp) {
  if ((stack.flags & abi::kSsAutodisarm) != 0) return false;
  return sp > stack.address && sp - stack.address <= stack.size;
}

Result<abi::SignalStack> CheckStack(abi::SignalStack stack) {
  int mode = stack.flags & ~abi::kSsAutodisarm;
  if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK) return Errno(EINVAL);
  if (mode == SS_DISABLE) {
    stack.size = 0;
    stack.address = 0;
  } else if (stack.size < abi::kMinimumSignalStack) {
    return Errno(ENOMEM);
  }
  stack.padding = 0;
  return stack;
}

}  // namespace

SyscallResult SysRtSigaction(Task& task, SignalNumber signal, UserIn<abi::SignalAction> action,
                             UserOut<abi::SignalAction> old_action, uint64_t set_size) {
  if (set_size != sizeof(abi::SignalSet)) return Errno(EINVAL);
  abi::SignalAction next;
  if (action) next = TRY(action.Read(task));
  abi::SignalAction old = TRY(kernel::SetSignalAction(task, signal, action ? &next : nullptr));
  TRY(old_action.WriteIfSet(task, old));
  return 0UL;
}

SyscallResult SysRtSigprocmask(Task& task, MaskHow how, UserIn<abi::SignalSet> user_set,
                               UserOut<abi::SignalSet> old_set, uint64_t set_size) {
  if (set_size != sizeof(abi::SignalSet)) return Errno(EINVAL);
  abi::SignalSet old = task.signal_mask();
  if (user_set) {
    abi::SignalSet set = TRY(user_set.Read(task));
    switch (how) {
      case SIG_BLOCK:
        task.SetSignalMask(old | set);
        break;
      case SIG_UNBLOCK:
        task.SetSignalMask(old & ~set);
        break;
      case SIG_SETMASK:
        task.SetSignalMask(set);
        break;
      default:
        return Errno(EINVAL);
    }
  }
  TRY(old_set.WriteIfSet(task, old));
  return 0UL;
}

SyscallResult SysRtSigpending(Task& task, UserOut<abi::SignalSet> set, uint64_t set_size) {
  if (set_size > sizeof(abi::SignalSet)) return Errno(EINVAL);
  abi::SignalSet blocked = task.pending_signals() & task.signal_mask();
  TRY(task.CopyOut(set.address(), std::as_bytes(std::span(&blocked, 1)).first(set_size)));
  return 0UL;
}

SyscallResult SysSigaltstack(Task& task, UserIn<abi::SignalStack> stack,
                             UserOut<abi::SignalStack> old_stack) {
  abi::SignalStack requested;
  if (stack) requested = TRY(stack.Read(task));
  abi::SignalStack& current = task.signal_stack();
  abi::SignalStack old = current;
  bool in_use = OnSignalStack(current, task.registers().rsp);
  // As sas_ss_flags(): whether it is used now, not how it was set.
  old.flags = (old.flags & abi::kSsAutodisarm) | (old.size == 0 ? SS_DISABLE
                                                  : in_use      ? SS_ONSTACK
                                                                : 0);
  if (stack) {
    if (in_use) return Errno(EPERM);
    current = TRY(CheckStack(requested));
  }
  TRY(old_stack.WriteIfSet(task, old));
  return 0UL;
}

SyscallResult SysRtSigreturn(Task& task) { return task.SignalReturn(); }

SyscallResult SysRestartSyscall(Task& task) { return task.RunRestart(); }

}  // namespace redoubt::syscalls
