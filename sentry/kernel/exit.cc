// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/exit.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>
#include <utility>

#include "sentry/kernel/interval_timers.h"
#include "sentry/kernel/job_control.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/robust_list.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/kernel/task_access.h"

namespace redoubt::kernel {

namespace {

using Access = TaskAccess;

// Everything that touches the guest's memory, while it is still there.
void LeaveMemory(Task& task, const RefPtr<mm::MemoryMap>& memory) {
  if (Access::StubDead(task)) return;
  ReleaseRobustList(task);
  // Nobody is left to see the word when the memory dies with this task (mm_release()).
  if (memory->ref_count() > 1) ClearChildTid(task);
}

// Who takes over the children of `group`: the nearest subreaper above, else the first process.
ThreadGroup* NewParentLocked(TaskSet& tasks, ThreadGroup& group)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  for (ThreadGroup* above = group.parent; above != nullptr; above = above->parent) {
    if (above->child_subreaper && !above->zombie) return above;
  }
  Result<RefPtr<ThreadGroup>> first = tasks.FindGroupLocked(1);
  if (!first.ok() || first->get() == &group || (*first)->zombie) return nullptr;
  return first->get();
}

void ReparentChildrenLocked(TaskSet& tasks, ThreadGroup& group)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  ThreadGroup* heir = NewParentLocked(tasks, group);
  std::vector<RefPtr<ThreadGroup>> children = std::move(group.children);
  group.children.clear();
  for (const RefPtr<ThreadGroup>& child : children) {
    child->parent = heir;
    child->exit_signal = SIGCHLD;
    int death_signal = child->leader->parent_death_signal.load();
    if (death_signal != 0) (void)SendSignalLocked(tasks, *child, KernelSignal(death_signal));
    if (heir != nullptr) {
      heir->children.push_back(child);
      if (child->zombie) NotifyParentOfExitLocked(tasks, *child);
    } else if (child->zombie) {
      ReapLocked(tasks, *child);
    }
  }
}

// A process group that lost its last tie to the session and has stopped members is told, since
// nobody is left to continue it (kill_orphaned_pgrp()).
void HangUpOrphanLocked(TaskSet& tasks, const ProcessGroup& process_group)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  if (!IsOrphanedLocked(tasks, process_group)) return;
  std::vector<RefPtr<ThreadGroup>> members = tasks.GroupsLocked();
  std::erase_if(members, [&](const RefPtr<ThreadGroup>& group) {
    return group->process_group.get() != &process_group || group->zombie;
  });
  bool stopped = std::any_of(members.begin(), members.end(),
                             [](const RefPtr<ThreadGroup>& group) { return group->stopped; });
  if (!stopped) return;
  for (const RefPtr<ThreadGroup>& member : members) {
    (void)SendSignalLocked(tasks, *member, KernelSignal(SIGHUP));
    (void)SendSignalLocked(tasks, *member, KernelSignal(SIGCONT));
  }
}

// A session's leader takes its terminal away from the session.
void EndSessionLocked(TaskSet& tasks, ThreadGroup& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  RefPtr<Session> session = group.process_group->session;
  if (session->id != group.tgid() || !session->controlling_terminal) return;
  int foreground = std::exchange(session->foreground_group, 0);
  session->controlling_terminal = nullptr;
  for (const RefPtr<ThreadGroup>& member : tasks.GroupsLocked()) {
    if (member.get() == &group || member->process_group->id != foreground) continue;
    (void)SendSignalLocked(tasks, *member, KernelSignal(SIGHUP));
    (void)SendSignalLocked(tasks, *member, KernelSignal(SIGCONT));
  }
}

// The last task of a process has left.
void EndGroupLocked(TaskSet& tasks, ThreadGroup& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  if (!group.exiting) group.exit_status = Access::ExitStatusLocked(*group.leader);
  group.zombie = true;
  group.stopped = group.stopping = false;
  if (group.on_exit) std::exchange(group.on_exit, nullptr)(group.exit_status);
  EndSessionLocked(tasks, group);
  // Groups that this exit may orphan: our own, if our parent ties it to the session, and those of
  // children that we tie to it.
  auto ties = [](const ThreadGroup& parent, const ThreadGroup& child) {
    return parent.process_group != child.process_group &&
           parent.process_group->session == child.process_group->session;
  };
  std::vector<RefPtr<ProcessGroup>> affected;
  if (group.parent != nullptr && ties(*group.parent, group)) {
    affected.push_back(group.process_group);
  }
  for (const RefPtr<ThreadGroup>& child : group.children) {
    if (ties(group, *child)) affected.push_back(child->process_group);
  }
  ReparentChildrenLocked(tasks, group);
  for (const RefPtr<ProcessGroup>& process_group : affected) {
    HangUpOrphanLocked(tasks, *process_group);
  }
  if (group.tgid() == 1) {
    // As the end of a PID namespace's init: everybody goes.
    for (const RefPtr<ThreadGroup>& other : tasks.GroupsLocked()) {
      if (!other->zombie) ExitGroupLocked(tasks, *other, SignaledStatus(SIGKILL, false));
    }
  }
  if (group.parent != nullptr) {
    NotifyParentOfExitLocked(tasks, group);
  } else {
    ReapLocked(tasks, group);
  }
}

}  // namespace

void ClearChildTid(Task& task) {
  if (task.clear_child_tid == 0) return;
  if (!task.CopyOut(task.clear_child_tid, int32_t{0}).ok()) return;
  (void)task.context().HostCall(
      {.number = SYS_futex, .arguments = {task.clear_child_tid, FUTEX_WAKE, 1, 0, 0, 0}});
}

void SignalVforkDone(Task& task) {
  RefPtr<VforkDone> vfork;
  {
    MutexLock lock(&task.kernel().tasks().mu_);
    vfork = std::exchange(Access::VforkDoneLocked(task), nullptr);
  }
  if (!vfork) return;
  vfork->done.store(true, std::memory_order_release);
  vfork->queue.Wake(EPOLLIN);
}

void ReapLocked(TaskSet& tasks, ThreadGroup& group) {
  RefPtr<ThreadGroup> keep(&group);
  group.reaped = true;
  if (group.parent != nullptr) {
    std::erase_if(group.parent->children,
                  [&](const RefPtr<ThreadGroup>& child) { return child.get() == &group; });
    group.parent = nullptr;
  }
  RefPtr<Task> leader = std::move(group.leader);
  int tid = leader->tid();
  tasks.BuryLocked(std::move(leader));
  tasks.RemoveLocked(tid);
}

void NotifyParentOfExitLocked(TaskSet& tasks, ThreadGroup& group) {
  ThreadGroup& parent = *group.parent;
  const SignalAction& action = (*parent.handlers)[SIGCHLD];
  bool ignored = group.exit_signal == SIGCHLD && action.handler == abi::kSignalIgnore;
  bool no_wait = group.exit_signal == SIGCHLD && (action.flags & SA_NOCLDWAIT) != 0;
  if (group.exit_signal != 0 && !ignored) {
    SignalInfo info;
    info.signal = group.exit_signal;
    int status = group.exit_status;
    info.code = (status & 0x7f) == 0 ? CLD_EXITED : CLD_KILLED;
    info.fields.child.pid = group.tgid();
    info.fields.child.uid = group.leader->credentials()->uid;
    info.fields.child.status = (status & 0x7f) == 0 ? status >> 8 & 0xff : status & 0x7f;
    (void)SendSignalLocked(tasks, parent, info);
  }
  // POSIX: who ignores SIGCHLD gets no zombies.
  if (ignored || no_wait) ReapLocked(tasks, group);
  parent.child_events.Wake(EPOLLIN);
}

void ExitTask(Task& task, int status) {
  MutexLock lock(&task.kernel().tasks().mu_);
  if (!Access::MustExitLocked(task)) Access::ExitStatusLocked(task) = status;
  Access::MustExitLocked(task) = true;
  Access::InterruptLocked(task);
}

void ExitGroupLocked(TaskSet& tasks, ThreadGroup& group, int status) {
  if (group.exiting) return;
  group.exiting = true;
  group.exit_status = status;
  group.stopping = group.stopped = false;
  for (const RefPtr<Task>& task : group.tasks) Access::InterruptLocked(*task);
}

void ExitGroup(ThreadGroup& group, int status) {
  MutexLock lock(&group.kernel().tasks().mu_);
  ExitGroupLocked(group.kernel().tasks(), group, status);
}

void FinishExit(Task& task) {
  Kernel& kernel = task.kernel();
  TaskSet& tasks = kernel.tasks();
  RefPtr<ThreadGroup> group = task.group();
  bool last;  // To come here; its siblings may still be on their way through.
  {
    MutexLock lock(&tasks.mu_);
    Access::ExitingLocked(task) = true;
    Access::ClearInterruptLocked(task);
    last = std::all_of(group->tasks.begin(), group->tasks.end(), [](const RefPtr<Task>& other) {
      return Access::ExitingLocked(*other);
    });
  }
  Access::Resources resources = Access::TakeResources(task);
  LeaveMemory(task, resources.memory);
  SignalVforkDone(task);
  resources.fd_table->DropUser(task.tgid());
  resources.fd_table = nullptr;
  resources.fs = nullptr;
  if (task.semaphore_undo) task.semaphore_undo->set_pid(task.tgid());
  task.semaphore_undo = nullptr;
  if (last) {
    group->timers().StopAll();
    group->BeginLastUsage(*resources.memory);
    // Nobody else runs in it: what is attached is detached before the parent is told.
    if (resources.memory->ref_count() == 1) resources.memory->ReleaseAttachments();
  } else {
    resources.memory = nullptr;
  }
  bool none_left;
  std::vector<RefPtr<Task>> buried;  // Dropped without the lock.
  {
    MutexLock lock(&tasks.mu_);
    Access::StateLocked(task) = Access::State::kZombie;
    std::erase_if(group->tasks, [&](const RefPtr<Task>& t) { return t.get() == &task; });
    if (group->leader != &task) tasks.RemoveLocked(task.tid());
    group->group_events.Wake(EPOLLIN);
    if (group->tasks.empty()) EndGroupLocked(tasks, *group);
    none_left = tasks.DropRunningLocked() == 0;
    buried = tasks.TakeBuriedLocked();
  }
  kernel.async_signals().DeliverPending();
  // The stub is there until this thread returns to the platform.
  if (last) group->FinishLastUsage(none_left ? nullptr : resources.memory.get());
  buried.clear();
  if (none_left) kernel.OnAllTasksGone();
}

}  // namespace redoubt::kernel
