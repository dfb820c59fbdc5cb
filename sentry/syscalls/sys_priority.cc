// SPDX-License-Identifier: Apache-2.0
//
// getpriority(2) and setpriority(2), over a process, a process group or a user's processes.
#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/sys_sched.h"
#include "sentry/syscalls/task_lookup.h"

namespace redoubt::syscalls {

namespace {

// Every task of the process groups or users that `matches` picks.
template <typename Matches>
std::vector<RefPtr<Task>> Collect(Task& task, Matches matches) {
  std::vector<RefPtr<Task>> found;
  kernel::TaskSet& tasks = task.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  for (const RefPtr<kernel::ThreadGroup>& group : tasks.GroupsLocked()) {
    for (const RefPtr<Task>& member : group->tasks) {
      if (matches(*group, *member)) found.push_back(member);
    }
  }
  return found;
}

Result<std::vector<RefPtr<Task>>> Select(Task& task, int which, int who) {
  if (which == PRIO_PROCESS) {
    std::vector<RefPtr<Task>> one;
    one.push_back(TRY(FindTask(task, who)));
    return one;
  }
  std::vector<RefPtr<Task>> found;
  if (which == PRIO_PGRP) {
    found = Collect(task, [&](kernel::ThreadGroup& group, Task&) {
      return who == 0 ? group.process_group == task.group()->process_group
                      : group.process_group->id == who;
    });
  } else {
    uint32_t user = who == 0 ? task.credentials()->uid : static_cast<uint32_t>(who);
    found = Collect(task, [user](kernel::ThreadGroup&, Task& member) {
      return member.credentials()->uid == user;
    });
  }
  if (found.empty()) return Errno(ESRCH);
  return found;
}

}  // namespace

SyscallResult SysGetpriority(Task& task, int32_t which, int32_t who) {
  if (which < PRIO_PROCESS || which > PRIO_USER) return Errno(EINVAL);
  std::vector<RefPtr<Task>> tasks = TRY(Select(task, which, who));
  int lowest = 19;
  for (const RefPtr<Task>& target : tasks) lowest = std::min(lowest, target->nice_value.load());
  return static_cast<uint64_t>(20 - lowest);  // Never negative: 1..40.
}

SyscallResult SysSetpriority(Task& task, int32_t which, int32_t who, int32_t nice) {
  if (which < PRIO_PROCESS || which > PRIO_USER) return Errno(EINVAL);
  nice = std::clamp(nice, -20, 19);
  Result<void> outcome;
  std::vector<RefPtr<Task>> tasks = TRY(Select(task, which, who));
  for (const RefPtr<Task>& target : tasks) {
    Result<void> allowed = CheckMaySchedule(task, *target);
    if (allowed.ok() && nice < target->nice_value) {
      allowed = CheckMayRaisePriority(task, *target, nice, EACCES);
    }
    if (allowed.ok()) {
      target->nice_value = nice;
    } else {
      outcome = allowed;
    }
  }
  TRY(outcome);
  return 0UL;
}

}  // namespace redoubt::syscalls
