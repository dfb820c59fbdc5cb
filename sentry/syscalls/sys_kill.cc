// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_kill.h"

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_send.h"

namespace redoubt::syscalls {

namespace {

// check_kill_permission().
Result<void> CheckKill(Task& sender, Task& target, int signal) {
  if (signal < 0 || signal > abi::kSignalCount) return Errno(EINVAL);
  return kernel::CheckSignalPermission(sender, target, signal);
}

// The thread `tid`, of process `tgid` unless that is 0.
Result<RefPtr<Task>> FindThread(Task& task, int tgid, int tid) {
  RefPtr<Task> target = TRY(task.kernel().tasks().Find(tid));
  if (tgid != 0 && target->tgid() != tgid) return Errno(ESRCH);
  return target;
}

SyscallResult KillThread(Task& task, int tgid, int tid, int signal) {
  RefPtr<Task> target = TRY(FindThread(task, tgid, tid));
  TRY(CheckKill(task, *target, signal));
  kernel::SignalInfo info =
      kernel::UserSignal(signal, task.tgid(), task.credentials()->uid, SI_TKILL);
  TRY(kernel::SendSignal(*target, info));
  return 0UL;
}

// A process may not pretend to be the kernel, or kill(2), towards others.
Result<abi::SignalInfo> ReadInfo(Task& task, UserIn<abi::SignalInfo> user, int target, int signal) {
  abi::SignalInfo info = TRY(user.Read(task));
  info.signal = signal;
  if ((info.code >= 0 || info.code == SI_TKILL) && target != task.tgid()) return Errno(EPERM);
  return info;
}

}  // namespace

SyscallResult SysKill(Task& task, int32_t pid, SignalNumber signal) {
  TRY(kernel::Kill(task, pid, signal));
  return 0UL;
}

SyscallResult SysTkill(Task& task, int32_t tid, SignalNumber signal) {
  if (tid <= 0) return Errno(EINVAL);
  return KillThread(task, 0, tid, signal);
}

SyscallResult SysTgkill(Task& task, int32_t tgid, int32_t tid, SignalNumber signal) {
  if (tgid <= 0 || tid <= 0) return Errno(EINVAL);
  return KillThread(task, tgid, tid, signal);
}

SyscallResult SysRtSigqueueinfo(Task& task, int32_t tgid, SignalNumber signal,
                                UserIn<abi::SignalInfo> user) {
  abi::SignalInfo info = TRY(ReadInfo(task, user, tgid, signal));
  RefPtr<Task> target = TRY(task.kernel().tasks().Find(tgid));
  TRY(CheckKill(task, *target, signal));
  TRY(kernel::SendSignal(*target->group(), info));
  return 0UL;
}

SyscallResult SysRtTgsigqueueinfo(Task& task, int32_t tgid, int32_t tid, SignalNumber signal,
                                  UserIn<abi::SignalInfo> user) {
  if (tgid <= 0 || tid <= 0) return Errno(EINVAL);
  abi::SignalInfo info = TRY(ReadInfo(task, user, tgid, signal));
  RefPtr<Task> target = TRY(FindThread(task, tgid, tid));
  TRY(CheckKill(task, *target, signal));
  TRY(kernel::SendSignal(*target, info));
  return 0UL;
}

}  // namespace redoubt::syscalls
