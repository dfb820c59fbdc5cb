// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_process_id.h"

#include "sentry/kernel/job_control.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::syscalls {

SyscallResult SysGetpid(Task& task) { return static_cast<uint64_t>(task.tgid()); }

SyscallResult SysGettid(Task& task) { return static_cast<uint64_t>(task.tid()); }

SyscallResult SysGetppid(Task& task) {
  MutexLock lock(&task.kernel().tasks().mu_);
  const kernel::ThreadGroup* parent = task.group()->parent;
  return static_cast<uint64_t>(parent != nullptr ? parent->tgid() : 0);
}

SyscallResult SysSetpgid(Task& task, int32_t pid, int32_t group) {
  TRY(kernel::SetProcessGroup(task, pid, group));
  return 0UL;
}

SyscallResult SysGetpgid(Task& task, int32_t pid) {
  return static_cast<uint64_t>(TRY(kernel::GetProcessGroup(task, pid)));
}

SyscallResult SysGetpgrp(Task& task) { return SysGetpgid(task, 0); }

SyscallResult SysSetsid(Task& task) {
  return static_cast<uint64_t>(TRY(kernel::CreateSession(task)));
}

SyscallResult SysGetsid(Task& task, int32_t pid) {
  return static_cast<uint64_t>(TRY(kernel::GetSession(task, pid)));
}

}  // namespace redoubt::syscalls
