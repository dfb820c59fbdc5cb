// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/signal_send.h"

#include <algorithm>

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task_access.h"

namespace redoubt::kernel {

namespace {

using Access = TaskAccess;

size_t QueueLimit(const ThreadGroup& group) {
  return static_cast<size_t>(std::min<uint64_t>(group.limit(RLIMIT_SIGPENDING).current, 1 << 16));
}

void ContinueGroup(TaskSet& tasks, ThreadGroup& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  bool was_stopped = group.stopped;
  if (!group.stopping && !group.stopped) return;
  group.stopping = group.stopped = false;
  group.stop_to_report = false;
  for (const RefPtr<Task>& task : group.tasks) task->Wake();
  if (was_stopped) {
    group.continue_to_report = true;
    NotifyParentOfJobChangeLocked(tasks, group, CLD_CONTINUED);
  }
}

// What a stop or continue signal does the moment it is sent, handled or not (prepare_signal()).
void PrepareJobControl(TaskSet& tasks, ThreadGroup& group, int signal)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  SignalSet discard;
  if (abi::kStopSignals.Has(signal)) discard = SignalSet::Of(SIGCONT);
  if (signal == SIGCONT) discard = abi::kStopSignals;
  if (!discard.empty()) {
    group.pending.Discard(discard);
    for (const RefPtr<Task>& task : group.tasks) Access::PendingLocked(*task).Discard(discard);
  }
  if (signal == SIGCONT || signal == SIGKILL) ContinueGroup(tasks, group);
}

// Ignored signals vanish, unless blocked: the process may install a handler before it unblocks.
bool IsDropped(ThreadGroup& group, Task& target, const SignalInfo& info) {
  if (target.signal_mask().Has(info.signal)) return false;
  if (Access::AwaitedLocked(target).Has(info.signal)) return false;
  // sig_task_ignored(): from inside, init gets only what it handles; from outside, also death.
  if (group.unkillable && (*group.handlers)[info.signal].handler == abi::kSignalDefault) {
    bool outside = info.code == SI_KERNEL || (info.code == SI_USER && info.fields.sender.pid == 0);
    if (!outside || !abi::kUnblockableSignals.Has(info.signal)) return true;
  }
  return group.handlers->Ignores(info.signal);
}

bool Wants(Task& task, int signal) {
  if (Access::ExitingLocked(task)) return false;
  return signal == SIGKILL || !task.signal_mask().Has(signal) ||
         Access::AwaitedLocked(task).Has(signal);
}

Result<void> Queue(PendingSignals& pending, const SignalInfo& info, size_t limit) {
  if (pending.Add(info, limit)) return {};
  // Standard signals merge; a real-time signal that a user queued must not be lost silently.
  // Only sigqueue(2) may fail for a full queue; kill(2) is then delivered without its siginfo.
  if (info.signal < abi::kFirstRealtimeSignal || info.code == SI_KERNEL) return {};
  if (info.code != SI_USER && info.code != SI_TKILL) return Errno(EAGAIN);
  pending.AddBare(info.signal);
  return {};
}

}  // namespace

void NotifyParentOfJobChangeLocked(TaskSet& tasks, ThreadGroup& group, int code) {
  ThreadGroup* parent = group.parent;
  if (parent == nullptr) return;
  const SignalAction& action = (*parent->handlers)[SIGCHLD];
  if (action.handler != abi::kSignalIgnore && (action.flags & SA_NOCLDSTOP) == 0) {
    SignalInfo info;
    info.signal = SIGCHLD;
    info.code = code;
    info.fields.child.pid = group.tgid();
    info.fields.child.uid = group.leader->credentials()->uid;
    info.fields.child.status = code == CLD_CONTINUED ? SIGCONT : group.stop_signal;
    (void)SendSignalLocked(tasks, *parent, info);
  }
  parent->child_events.Wake(EPOLLIN);
}

Result<void> SendSignalLocked(TaskSet& tasks, Task& target, const SignalInfo& info) {
  ThreadGroup& group = *target.group();
  if (info.signal == 0 || group.zombie) return {};
  CHECK(info.signal > 0 && info.signal <= abi::kSignalCount);
  PrepareJobControl(tasks, group, info.signal);
  if (info.signal == SIGKILL) return SendSignalLocked(tasks, group, info);
  if (IsDropped(group, target, info)) return {};
  TRY(Queue(Access::PendingLocked(target), info, QueueLimit(group)));
  group.signal_events.Wake(EPOLLIN);
  if (Wants(target, info.signal)) Access::InterruptLocked(target);
  return {};
}

Result<void> SendSignalLocked(TaskSet& tasks, ThreadGroup& group, const SignalInfo& info) {
  if (info.signal == 0 || group.zombie) return {};
  CHECK(info.signal > 0 && info.signal <= abi::kSignalCount);
  PrepareJobControl(tasks, group, info.signal);
  if (IsDropped(group, *group.leader, info)) return {};
  TRY(Queue(group.pending, info, QueueLimit(group)));
  group.signal_events.Wake(EPOLLIN);
  // The main thread if it wants the signal, else the first that does (complete_signal()).
  if (Wants(*group.leader, info.signal)) {
    Access::InterruptLocked(*group.leader);
    return {};
  }
  auto it = std::find_if(group.tasks.begin(), group.tasks.end(),
                         [&](const RefPtr<Task>& task) { return Wants(*task, info.signal); });
  if (it != group.tasks.end()) Access::InterruptLocked(**it);
  return {};
}

Result<void> SendSignal(Task& target, const SignalInfo& info) {
  TaskSet& tasks = target.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  return SendSignalLocked(tasks, target, info);
}

Result<void> SendSignal(ThreadGroup& target, const SignalInfo& info) {
  TaskSet& tasks = target.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  return SendSignalLocked(tasks, target, info);
}

Result<void> SendSignalToProcessGroup(Kernel& kernel, int group_id, const SignalInfo& info) {
  TaskSet& tasks = kernel.tasks();
  MutexLock lock(&tasks.mu_);
  bool found = false;
  for (const RefPtr<ThreadGroup>& group : tasks.GroupsLocked()) {
    if (group->process_group->id != group_id) continue;
    found = true;
    (void)SendSignalLocked(tasks, *group, info);
  }
  if (!found) return Errno(ESRCH);
  return {};
}

void ForceSignal(Task& task, const SignalInfo& info) {
  TaskSet& tasks = task.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  SignalAction& action = (*task.group()->handlers)[info.signal];
  bool blocked = task.signal_mask().Has(info.signal);
  // A fault is nobody's kill (force_sig_info_to_task()).
  if (action.handler != abi::kSignalIgnore) task.group()->unkillable = false;
  if (blocked || action.handler == abi::kSignalIgnore) {
    action.handler = abi::kSignalDefault;
    Access::StoreMaskLocked(task, task.signal_mask() & ~SignalSet::Of(info.signal));
  }
  Access::PendingLocked(task).Discard(SignalSet::Of(info.signal));
  Access::PendingLocked(task).Add(info, ~size_t{0});
  Access::InterruptLocked(task);
}

Result<void> CheckSignalPermission(Task& sender, Task& target, int signal) {
  if (sender.group() == target.group()) return {};
  RefPtr<Credentials> from = sender.credentials();
  RefPtr<Credentials> to = target.credentials();
  if (from->HasCapability(CAP_KILL)) return {};
  if (from->euid == to->suid || from->euid == to->uid || from->uid == to->suid ||
      from->uid == to->uid) {
    return {};
  }
  if (signal == SIGCONT) {
    MutexLock lock(&sender.kernel().tasks().mu_);
    if (sender.group()->process_group->session == target.group()->process_group->session) return {};
  }
  return Errno(EPERM);
}

namespace {

// kill(2) for several processes: succeeds when one could be signalled; else EPERM, or ESRCH when
// there was none.
template <typename Filter>
Result<void> KillMany(Task& sender, const SignalInfo& info, Filter filter) {
  std::vector<RefPtr<ThreadGroup>> groups = sender.kernel().tasks().Groups();
  bool found = false, sent = false;
  for (const RefPtr<ThreadGroup>& group : groups) {
    RefPtr<Task> leader;
    {
      MutexLock lock(&sender.kernel().tasks().mu_);
      if (!group->reaped && filter(*group)) leader = group->leader;
    }
    if (!leader) continue;
    found = true;
    if (!CheckSignalPermission(sender, *leader, info.signal).ok()) continue;
    sent = true;
    (void)SendSignal(*group, info);
  }
  if (sent) return {};
  return Errno(found ? EPERM : ESRCH);
}

}  // namespace

Result<void> Kill(Task& sender, int pid, int signal) {
  if (signal < 0 || signal > abi::kSignalCount) return Errno(EINVAL);
  SignalInfo info = UserSignal(signal, sender.tgid(), sender.credentials()->uid);
  if (pid > 0) {
    RefPtr<Task> target = TRY(sender.kernel().tasks().Find(pid));
    TRY(CheckSignalPermission(sender, *target, signal));
    return SendSignal(*target->group(), info);
  }
  if (pid == -1) {
    return KillMany(sender, info, [&](ThreadGroup& group) {
      return group.tgid() != 1 && &group != sender.group().get();
    });
  }
  if (pid == INT32_MIN) return Errno(ESRCH);
  int group_id = -pid;
  if (pid == 0) {
    MutexLock lock(&sender.kernel().tasks().mu_);
    group_id = sender.group()->process_group->id;
  }
  return KillMany(sender, info,
                  [group_id](ThreadGroup& group) { return group.process_group->id == group_id; });
}

Result<SignalAction> SetSignalAction(Task& task, int signal, const SignalAction* action) {
  if (signal < 1 || signal > abi::kSignalCount) return Errno(EINVAL);
  if (action != nullptr && abi::kUnblockableSignals.Has(signal)) return Errno(EINVAL);
  TaskSet& tasks = task.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  ThreadGroup& group = *task.group();
  SignalAction old = (*group.handlers)[signal];
  if (action == nullptr) return old;
  SignalAction next = *action;
  next.mask = next.mask & ~abi::kUnblockableSignals;
  (*group.handlers)[signal] = next;
  // POSIX: setting a signal to be ignored throws pending ones away.
  if (group.handlers->Ignores(signal)) {
    group.pending.Discard(SignalSet::Of(signal));
    for (const RefPtr<Task>& sibling : group.tasks) {
      Access::PendingLocked(*sibling).Discard(SignalSet::Of(signal));
    }
  }
  return old;
}

}  // namespace redoubt::kernel
