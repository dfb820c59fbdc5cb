// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_pidfd.h"

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/pidfd.h"

namespace redoubt::syscalls {

namespace {

using kernel::ThreadGroup;

// The thread that stands for a process; ESRCH when it was reaped.
Result<RefPtr<Task>> LeaderOf(ThreadGroup& group) {
  MutexLock lock(&group.kernel().tasks().mu_);
  if (group.reaped || !group.leader) return Errno(ESRCH);
  return RefPtr<Task>(group.leader);
}

// ptrace_may_access(): who may take things out of another process.
Result<void> CheckMayAccess(Task& task, Task& target) {
  if (task.group() == target.group()) return {};
  RefPtr<kernel::Credentials> mine = task.credentials();
  RefPtr<kernel::Credentials> theirs = target.credentials();
  if (mine->HasCapability(CAP_SYS_PTRACE)) return {};
  bool same_user =
      mine->uid == theirs->uid && mine->uid == theirs->euid && mine->uid == theirs->suid;
  bool same_group =
      mine->gid == theirs->gid && mine->gid == theirs->egid && mine->gid == theirs->sgid;
  bool subset = (theirs->permitted & ~mine->permitted) == 0;
  if (same_user && same_group && subset && target.group()->dumpable) return {};
  return Errno(EPERM);
}

}  // namespace

SyscallResult SysPidfdOpen(Task& task, int32_t pid, uint32_t flags) {
  if ((flags & ~uint32_t{O_NONBLOCK}) != 0 || pid <= 0) return Errno(EINVAL);
  kernel::TaskSet& tasks = task.kernel().tasks();
  Result<RefPtr<ThreadGroup>> group = tasks.FindGroup(pid);
  if (!group.ok()) {
    TRY(tasks.Find(pid));  // ESRCH; else it is a mere thread.
    return Errno(EINVAL);
  }
  return InstallResult(task, PidFd::Create(*group, flags), true);
}

SyscallResult SysPidfdSendSignal(Task& task, FdNumber pidfd, SignalNumber signal,
                                 UserIn<abi::SignalInfo> user_info, uint32_t flags) {
  if (flags != 0) return Errno(EINVAL);
  RefPtr<ThreadGroup> group = TRY(GroupOfPidfd(task, pidfd));
  kernel::SignalInfo info = kernel::UserSignal(signal, task.tgid(), task.credentials()->uid);
  if (user_info) {
    info = TRY(user_info.Read(task));
    if (info.signal != signal) return Errno(EINVAL);
    bool pretends = info.code >= 0 || info.code == SI_TKILL;
    if (pretends && group != task.group()) return Errno(EPERM);
  }
  RefPtr<Task> leader = TRY(LeaderOf(*group));
  if (signal < 0 || signal > abi::kSignalCount) return Errno(EINVAL);
  TRY(kernel::CheckSignalPermission(task, *leader, signal));
  TRY(kernel::SendSignal(*group, info));
  return 0UL;
}

SyscallResult SysPidfdGetfd(Task& task, FdNumber pidfd, FdNumber fd, uint32_t flags) {
  if (flags != 0) return Errno(EINVAL);
  RefPtr<ThreadGroup> group = TRY(GroupOfPidfd(task, pidfd));
  RefPtr<Task> leader = TRY(LeaderOf(*group));
  TRY(CheckMayAccess(task, *leader));
  RefPtr<kernel::FdTable> table = leader->fd_table();
  if (!table) return Errno(ESRCH);  // On its way out.
  FileRef file = TRY(table->Get(fd));
  return InstallResult(task, std::move(file), true);
}

}  // namespace redoubt::syscalls
