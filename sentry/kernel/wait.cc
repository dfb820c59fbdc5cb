// SPDX-License-Identifier: Apache-2.0
//
// wait4(2) and waitid(2).
#include <sys/wait.h>

#include "sentry/kernel/exit.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task_access.h"

namespace redoubt::kernel {

namespace {

bool Matches(const ThreadGroup& child, const WaitRequest& request) {
  bool is_clone_child = child.exit_signal != SIGCHLD;
  if (!request.all_children && is_clone_child != request.only_clone_children) return false;
  switch (request.who) {
    case WaitRequest::Who::kAny:
      return true;
    case WaitRequest::Who::kProcess:
      return child.tgid() == request.id;
    case WaitRequest::Who::kProcessGroup:
      return child.process_group->id == request.id;
  }
  UNREACHABLE();
}

int ExitCode(int status) {
  if ((status & 0x7f) == 0) return CLD_EXITED;
  return (status & 0x80) != 0 ? CLD_DUMPED : CLD_KILLED;
}

struct Found {
  WaitResult result;
  RefPtr<ThreadGroup> reaped;  // Its usage is still to be added up, outside the lock.
};

// What `child` has to report to this request; nothing when it runs on unchanged.
std::optional<Found> Report(TaskSet& tasks, ThreadGroup& child, const WaitRequest& request)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  Found found;
  found.result.pid = child.tgid();
  found.result.uid = child.leader->credentials()->uid;
  if (child.zombie) {
    if (!request.exited) return std::nullopt;
    found.result.status = child.exit_status;
    found.result.code = ExitCode(child.exit_status);
    found.reaped = RefPtr<ThreadGroup>(&child);
    if (!request.keep) ReapLocked(tasks, child);
    return found;
  }
  if (request.stopped && child.stop_to_report) {
    found.result.status = child.stop_signal << 8 | 0x7f;
    found.result.code = CLD_STOPPED;
    if (!request.keep) child.stop_to_report = false;
    return found;
  }
  if (request.continued && child.continue_to_report) {
    found.result.status = 0xffff;
    found.result.code = CLD_CONTINUED;
    if (!request.keep) child.continue_to_report = false;
    return found;
  }
  return std::nullopt;
}

// A matching child with news, or nothing; ECHILD when no child matches.
Result<std::optional<Found>> LookForChild(Task& task, const WaitRequest& request) {
  TaskSet& tasks = task.kernel().tasks();
  std::vector<RefPtr<Task>> buried;  // Outlives the lock.
  MutexLock lock(&tasks.mu_);
  WaitRequest resolved = request;
  if (request.who == WaitRequest::Who::kProcessGroup && request.id == 0) {
    resolved.id = task.group()->process_group->id;
  }
  bool any = false;
  for (const RefPtr<ThreadGroup>& child : task.group()->children) {
    if (!Matches(*child, resolved)) continue;
    any = true;
    RefPtr<ThreadGroup> keep = child;
    std::optional<Found> found = Report(tasks, *keep, request);
    if (!found.has_value()) continue;
    buried = tasks.TakeBuriedLocked();
    return found;
  }
  if (!any) return Errno(ECHILD);
  return std::optional<Found>();
}

}  // namespace

Result<WaitResult> Wait(Task& task, const WaitRequest& request) {
  Task::Waiter waiter(task);
  WaitQueue& queue = task.group()->child_events;
  queue.Add(&waiter, EPOLLIN);
  Result<std::optional<Found>> found = Errno(ECHILD);
  while (true) {
    task.PrepareToSleep();
    found = LookForChild(task, request);
    if (!found.ok() || found->has_value() || request.no_hang) break;
    Result<void> slept = task.Sleep();
    if (!slept.ok()) {
      found = slept.error();
      break;
    }
  }
  queue.Remove(&waiter);
  if (!found.ok()) return found.error();
  if (!found->has_value()) return WaitResult{};
  WaitResult result = (*found)->result;
  if ((*found)->reaped) {
    const RefPtr<ThreadGroup>& child = (*found)->reaped;
    if (!request.keep) task.group()->AddReapedChild(*child);
    if (request.usage) result.usage = child->Usage();
  }
  return result;
}

int WaitidStatus(const WaitResult& result) {
  switch (result.code) {
    case CLD_EXITED:
      return result.status >> 8 & 0xff;
    case CLD_CONTINUED:
      return SIGCONT;
    case CLD_STOPPED:
      return result.status >> 8 & 0xff;
    default:
      return result.status & 0x7f;
  }
}

}  // namespace redoubt::kernel
