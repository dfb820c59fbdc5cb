// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/clone.h"

#include <linux/sched.h>

#include <utility>

#include "sentry/kernel/interval_timers.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task_access.h"
#include "sentry/kernel/task_seccomp.h"

namespace redoubt::kernel {

namespace {

using Access = TaskAccess;

constexpr uint64_t kNamespaceFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                     CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;

// Which flags go together: copy_process() of kernel/fork.c.
Result<void> CheckFlags(Task& task, const CloneRequest& request) {
  uint64_t flags = request.flags;
  if ((flags & CLONE_FS) != 0 && (flags & (CLONE_NEWNS | CLONE_NEWUSER)) != 0) return Errno(EINVAL);
  if ((flags & CLONE_THREAD) != 0 && (flags & CLONE_SIGHAND) == 0) return Errno(EINVAL);
  if ((flags & CLONE_SIGHAND) != 0 && (flags & CLONE_VM) == 0) return Errno(EINVAL);
  if ((flags & CLONE_PARENT) != 0 && task.tgid() == 1) return Errno(EINVAL);
  if ((flags & CLONE_SIGHAND) != 0 && (flags & CLONE_CLEAR_SIGHAND) != 0) return Errno(EINVAL);
  if ((flags & kNamespaceFlags) != 0) {
    // All but mounts: as a kernel without them, after the capability check.
    bool privileged = task.credentials()->HasCapability(CAP_SYS_ADMIN);
    if (!privileged && (flags & kNamespaceFlags) != CLONE_NEWUSER) return Errno(EPERM);
    if ((flags & kNamespaceFlags) != CLONE_NEWNS) return Errno(EINVAL);
  }
  if ((flags & (CLONE_PIDFD | CLONE_PTRACE)) != 0) return Errno(EINVAL);
  return {};
}

// RLIMIT_NPROC counts all tasks of a user; root and the privileged are exempt.
Result<void> CheckProcessLimit(Task& task) {
  RefPtr<Credentials> credentials = task.credentials();
  if (credentials->uid == 0 || credentials->HasCapability(CAP_SYS_RESOURCE) ||
      credentials->HasCapability(CAP_SYS_ADMIN)) {
    return {};
  }
  uint64_t limit = task.group()->limit(RLIMIT_NPROC).current;
  TaskSet& tasks = task.kernel().tasks();
  // Nobody can own more tasks than there are: most calls need no count.
  if (static_cast<uint64_t>(tasks.task_count()) < limit) return {};
  uint64_t owned = 0;
  for (const RefPtr<ThreadGroup>& group : tasks.Groups()) {
    MutexLock lock(&tasks.mu_);
    if (group->leader && group->leader->credentials()->uid == credentials->uid)
      owned += group->tasks.size();
  }
  if (owned >= limit) return Errno(EAGAIN);
  return {};
}

RefPtr<ThreadGroup> NewGroupLocked(Task& parent, const CloneRequest& request,
                                   int tgid) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  ThreadGroup& from = *parent.group();
  RefPtr<SignalHandlers> handlers =
      (request.flags & CLONE_SIGHAND) != 0 ? from.handlers : from.handlers->Copy();
  if ((request.flags & CLONE_CLEAR_SIGHAND) != 0) handlers->ResetForExec();
  auto group = MakeRef<ThreadGroup>(&parent.kernel(), tgid, std::move(handlers), from.limits());
  group->parent = (request.flags & CLONE_PARENT) != 0 ? from.parent : &from;
  group->process_group = from.process_group;
  // clone(2) takes any byte; one that is no signal sends none (do_notify_parent()).
  bool is_signal = request.exit_signal >= 0 && request.exit_signal <= abi::kSignalCount;
  group->exit_signal = is_signal ? request.exit_signal : 0;
  if ((request.flags & CLONE_PARENT) != 0) group->exit_signal = from.exit_signal;
  group->dumpable = from.dumpable.load();
  group->oom_score_adjustment = from.oom_score_adjustment.load();
  Limit cpu = from.limit(RLIMIT_CPU);
  if (cpu.current != kUnlimited || cpu.maximum != kUnlimited) {
    group->timers().SetCpuLimit(cpu.current, cpu.maximum);
  }
  return group;
}

void SetRegisters(platform::Context& context, const CloneRequest& request) {
  platform::Registers& registers = context.registers();
  registers.rax = 0;
  registers.orig_rax = ~uint64_t{0};
  if (request.stack != 0) registers.rsp = request.stack;
  if ((request.flags & CLONE_SETTLS) != 0) registers.fs_base = request.tls;
}

void CopySmallState(Task& parent, Task& child, const CloneRequest& request) {
  InheritSeccomp(parent, child);
  child.nice_value = parent.nice_value.load();
  child.scheduling_policy = parent.scheduling_policy.load();
  child.timer_slack_ns = parent.timer_slack_ns.load();
  child.affinity_mask = parent.affinity_mask.load();
  if ((request.flags & CLONE_SYSVSEM) != 0) {
    if (!parent.semaphore_undo) {
      parent.semaphore_undo = MakeRef<ipc::UndoList>(parent.kernel().ipc().semaphores);
      parent.semaphore_undo->set_pid(parent.tgid());
    }
    child.semaphore_undo = parent.semaphore_undo;
  }
  if ((request.flags & CLONE_CHILD_CLEARTID) != 0) child.clear_child_tid = request.child_tid;
  // A thread must not run on its creator's signal stack; a vfork child may (clone(2)).
  bool shares_stack = (request.flags & CLONE_VM) != 0 && (request.flags & CLONE_VFORK) == 0;
  if (!shares_stack) child.signal_stack() = parent.signal_stack();
}

// Makes the child a member of the task set; from here on others can find and signal it.
Result<RefPtr<Task>> AddChild(Task& parent, const CloneRequest& request, platform::Context* context,
                              TaskParts parts, const RefPtr<VforkDone>& vfork) {
  TaskSet& tasks = parent.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  // A process that is being killed starts nothing new.
  if (parent.group()->exiting || Access::MustExitLocked(parent)) return Errno(ERESTARTNOINTR);
  parts.tid = TRY(tasks.AllocateTidLocked());
  bool is_thread = (request.flags & CLONE_THREAD) != 0;
  parts.group = is_thread ? parent.group() : NewGroupLocked(parent, request, parts.tid);
  RefPtr<ThreadGroup> group = parts.group;
  auto child = MakeRef<Task>(std::move(parts));
  CopySmallState(parent, *child, request);
  Access::StoreMaskLocked(*child, parent.signal_mask());
  Access::VforkDoneLocked(*child) = vfork;
  child->SetContext(context);
  if (!is_thread) {
    group->leader = child;
    if (group->parent != nullptr) group->parent->children.push_back(group);
  }
  group->tasks.push_back(child);
  tasks.AddLocked(child);
  tasks.AddRunningLocked();
  Access::StartedLocked(*child) = true;
  // A stop that is under way holds for the new thread too.
  if (group->stopping) Access::InterruptLocked(*child);
  return child;
}

void WriteTids(Task& parent, Task& child, const CloneRequest& request) {
  int32_t tid = child.tid();
  if ((request.flags & CLONE_PARENT_SETTID) != 0) {
    (void)parent.CopyOut(request.parent_tid, tid);
  }
  if ((request.flags & CLONE_CHILD_SETTID) != 0) {
    (void)child.memory()->space()->CopyOut(request.child_tid, std::as_bytes(std::span(&tid, 1)));
  }
}

void WaitForVfork(Task& parent, VforkDone& vfork) {
  Task::Waiter waiter(parent);
  vfork.queue.Add(&waiter, EPOLLIN);
  while (true) {
    parent.PrepareToSleep();
    if (vfork.done.load(std::memory_order_acquire)) break;
    if (!parent.SleepKillable().ok()) break;
  }
  vfork.queue.Remove(&waiter);
}

}  // namespace

SyscallResult Clone(Task& task, const CloneRequest& request) {
  TRY(CheckFlags(task, request));
  TRY(CheckProcessLimit(task));
  bool share_memory = (request.flags & CLONE_VM) != 0;
  std::unique_ptr<platform::Context> context = TRY(task.context().Clone(share_memory));
  SetRegisters(*context, request);

  RefPtr<FdTable> table = task.fd_table();
  RefPtr<FsContext> fs = task.fs();
  RefPtr<mm::MemoryMap> memory = task.memory();
  TaskParts parts;
  parts.kernel = &task.kernel();
  parts.credentials = task.credentials();
  parts.fd_table = (request.flags & CLONE_FILES) != 0 ? table : table->Fork();
  parts.fs = (request.flags & CLONE_FS) != 0 ? fs : fs->Fork();
  if ((request.flags & CLONE_NEWNS) != 0) parts.fs->UnshareMounts();
  parts.memory = share_memory ? memory : memory->Fork(context->address_space());
  parts.name = task.name();

  RefPtr<VforkDone> vfork;
  if ((request.flags & CLONE_VFORK) != 0) vfork = MakeRef<VforkDone>();
  RefPtr<Task> child = TRY(AddChild(task, request, context.get(), std::move(parts), vfork));
  if ((request.flags & CLONE_FILES) != 0) table->AddUser();
  WriteTids(task, *child, request);
  int tid = child->tid();
  child->TellLocalAnswers();

  child->Ref();  // The platform's, until OnExited.
  task.kernel().platform().Start(std::move(context), *child);
  if (vfork) WaitForVfork(task, *vfork);
  return static_cast<unsigned long>(tid);
}

Result<void> Unshare(Task& task, uint64_t flags) {
  constexpr uint64_t kThreadLike = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
  constexpr uint64_t kKnown =
      kThreadLike | CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | kNamespaceFlags;
  if ((flags & ~kKnown) != 0) return Errno(EINVAL);
  if ((flags & kThreadLike) != 0) {
    MutexLock lock(&task.kernel().tasks().mu_);
    if (task.group()->tasks.size() > 1) return Errno(EINVAL);
  }
  if ((flags & kNamespaceFlags) != 0) {
    bool privileged = task.credentials()->HasCapability(CAP_SYS_ADMIN);
    if (!privileged && (flags & kNamespaceFlags) != CLONE_NEWUSER) return Errno(EPERM);
    if ((flags & kNamespaceFlags) != CLONE_NEWNS) return Errno(EINVAL);
  }
  // As after exit: what was to be undone is.
  if ((flags & CLONE_SYSVSEM) != 0) task.semaphore_undo = nullptr;
  if ((flags & (CLONE_FS | CLONE_NEWNS)) != 0) task.SetFs(task.fs()->Fork());
  if ((flags & CLONE_NEWNS) != 0) task.fs()->UnshareMounts();
  if ((flags & CLONE_FILES) != 0) {
    RefPtr<FdTable> old = task.fd_table();
    task.SetFdTable(old->Fork());
    old->DropUser(task.tgid());
  }
  return {};
}

}  // namespace redoubt::kernel
