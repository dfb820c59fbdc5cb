// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/job_control.h"

#include <algorithm>

#include "sentry/kernel/kernel.h"

namespace redoubt::kernel {

namespace {

Result<RefPtr<ThreadGroup>> FindOrSelfLocked(TaskSet& tasks, Task& task, int pid)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  if (pid == 0) return task.group();
  return tasks.FindGroupLocked(pid);
}

// The process group `id` of `session`, if it has a member.
RefPtr<ProcessGroup> FindProcessGroupLocked(TaskSet& tasks, int id, const Session& session)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  for (const RefPtr<ThreadGroup>& group : tasks.GroupsLocked()) {
    const RefPtr<ProcessGroup>& found = group->process_group;
    if (found->id == id && found->session.get() == &session) return found;
  }
  return nullptr;
}

}  // namespace

Result<void> SetProcessGroup(Task& task, int pid, int group_id) {
  if (group_id < 0 || pid < 0) return Errno(group_id < 0 ? EINVAL : ESRCH);
  TaskSet& tasks = task.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  RefPtr<ThreadGroup> target = TRY(FindOrSelfLocked(tasks, task, pid));
  if (group_id == 0) group_id = target->tgid();
  const RefPtr<Session>& session = task.group()->process_group->session;
  if (target != task.group()) {
    if (target->parent != task.group().get()) return Errno(ESRCH);
    if (target->process_group->session != session) return Errno(EPERM);
    if (target->has_execed) return Errno(EACCES);
  }
  if (target->process_group->session->id == target->tgid()) return Errno(EPERM);  // Its leader.
  if (target->process_group->id == group_id) return {};
  RefPtr<ProcessGroup> destination = FindProcessGroupLocked(tasks, group_id, *session);
  if (!destination) {
    if (group_id != target->tgid()) return Errno(EPERM);
    destination = MakeRef<ProcessGroup>(group_id, session);
  }
  target->process_group = destination;
  return {};
}

Result<int> GetProcessGroup(Task& task, int pid) {
  if (pid < 0) return Errno(ESRCH);
  TaskSet& tasks = task.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  RefPtr<ThreadGroup> target = TRY(FindOrSelfLocked(tasks, task, pid));
  return target->process_group->id;
}

Result<int> GetSession(Task& task, int pid) {
  if (pid < 0) return Errno(ESRCH);
  TaskSet& tasks = task.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  RefPtr<ThreadGroup> target = TRY(FindOrSelfLocked(tasks, task, pid));
  return target->process_group->session->id;
}

Result<int> CreateSession(Task& task) {
  TaskSet& tasks = task.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  int id = task.tgid();
  for (const RefPtr<ThreadGroup>& group : tasks.GroupsLocked()) {
    if (group->process_group->id == id) return Errno(EPERM);
  }
  task.group()->process_group = MakeRef<ProcessGroup>(id, MakeRef<Session>(id));
  return id;
}

bool IsOrphanedLocked(TaskSet& tasks, const ProcessGroup& process_group) {
  for (const RefPtr<ThreadGroup>& group : tasks.GroupsLocked()) {
    if (group->process_group.get() != &process_group || group->zombie) continue;
    const ThreadGroup* parent = group->parent;
    if (parent == nullptr) continue;
    if (parent->process_group.get() != &process_group &&
        parent->process_group->session == process_group.session) {
      return false;
    }
  }
  return true;
}

}  // namespace redoubt::kernel
