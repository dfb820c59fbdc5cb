// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/subject.h"

namespace redoubt::proc {

TaskId TaskId::Of(const kernel::Task& task, bool whole_process) {
  TaskId id;
  id.kernel = &task.kernel();
  id.tid = task.tid();
  id.tgid = task.tgid();
  id.start_time_ns = task.group()->start_time_ns;
  id.whole_process = whole_process;
  return id;
}

Result<RefPtr<kernel::Task>> TaskId::Find() const {
  RefPtr<kernel::Task> task = TRY(kernel->tasks().Find(tid));
  if (!SameTask(Of(*task, whole_process))) return Errno(ESRCH);
  return task;
}

vfs::Caller Subject::View() const {
  vfs::Caller view;
  if (RefPtr<kernel::FsContext> fs = task->fs()) {
    view.root = fs->root();
    view.working_directory = fs->working_directory();
  }
  return view;
}

Result<void> CheckInspection(const vfs::Caller& caller, const kernel::Task& target) {
  if (caller.tgid == target.tgid()) return {};
  if (caller.HasCapability(CAP_SYS_PTRACE)) return {};
  RefPtr<kernel::Credentials> its = target.credentials();
  bool same_user = its->uid == caller.uid && its->euid == caller.uid && its->suid == caller.uid;
  bool same_group = its->gid == caller.gid && its->egid == caller.gid && its->sgid == caller.gid;
  bool no_more_capable = (its->permitted & ~caller.capabilities) == 0;
  if (!same_user || !same_group || !no_more_capable) return Errno(EACCES);
  if (!target.group()->dumpable.load()) return Errno(EACCES);
  return {};
}

}  // namespace redoubt::proc
