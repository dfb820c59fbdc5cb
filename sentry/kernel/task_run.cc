// SPDX-License-Identifier: Apache-2.0
//
// The life of an event: serve it, then do what must be done before the guest runs again
// (exit_to_user_mode_loop() and get_signal() of Linux): leave, stop, take signals, restart calls.
#include <errno.h>
#include <sys/syscall.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "sentry/kernel/exit.h"
#include "sentry/kernel/job_control.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_delivery.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_access.h"

namespace redoubt::kernel {

namespace {

using Access = TaskAccess;
using platform::Event;
using platform::NextStep;

// Runs the interrupted call again, or makes it fail with EINTR.
void RestartOrFail(Task& task, const SignalAction* handler) {
  std::optional<int> code = std::exchange(Access::RestartCode(task), std::nullopt);
  if (!code.has_value()) return;
  bool restart = handler == nullptr || *code == ERESTARTNOINTR ||
                 (*code == ERESTARTSYS && (handler->flags & SA_RESTART) != 0);
  if (!restart) {
    task.registers().rax = static_cast<uint64_t>(-EINTR);
    return;
  }
  task.context().RewindSyscall(*code == ERESTART_RESTARTBLOCK
                                   ? static_cast<uint64_t>(SYS_restart_syscall)
                                   : task.registers().orig_rax);
}

// Stops the task with its siblings until SIGCONT or death.
void StopWithGroup(Task& task) {
  TaskSet& tasks = task.kernel().tasks();
  ThreadGroup& group = *task.group();
  while (true) {
    task.PrepareToSleep();
    {
      MutexLock lock(&tasks.mu_);
      bool leave = !group.stopping || group.exiting || Access::MustExitLocked(task);
      Access::StateLocked(task) = leave ? Access::State::kRunning : Access::State::kStopped;
      if (leave) return;
      bool all = std::all_of(group.tasks.begin(), group.tasks.end(), [](const RefPtr<Task>& t) {
        return Access::StateLocked(*t) == Access::State::kStopped || Access::ExitingLocked(*t);
      });
      if (all && !group.stopped) {
        group.stopped = true;
        group.stop_to_report = true;
        NotifyParentOfJobChangeLocked(tasks, group, CLD_STOPPED);
      }
      // Interruptions would end the sleep at once; what they meant is looked at after the stop.
      Access::ClearInterruptLocked(task);
    }
    (void)task.SleepKillable();
  }
}

// The default action of a stop signal: every task of the group is to stop.
void BeginStopLocked(TaskSet& tasks, ThreadGroup& group, int signal)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  if (signal != SIGSTOP && IsOrphanedLocked(tasks, *group.process_group)) return;
  group.stopping = true;
  group.stopped = false;
  group.stop_signal = signal;
  group.continue_to_report = false;
  for (const RefPtr<Task>& task : group.tasks) Access::InterruptLocked(*task);
}

// What is to be done next for a task on its way back.
struct Step {
  enum class Kind : uint8_t { kRun, kExit, kStop, kHandle, kAgain } kind;
  SignalInfo info;
  SignalAction action;
  SignalSet old_mask;
};

Step TakeSignalStepLocked(TaskSet& tasks, Task& task, const SignalInfo& info)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(tasks.mu_) {
  ThreadGroup& group = *task.group();
  SignalAction& action = (*group.handlers)[info.signal];
  if (info.signal == SIGKILL) {
    ExitGroupLocked(tasks, group, SignaledStatus(SIGKILL, false));
    return {.kind = Step::Kind::kAgain, .info = {}, .action = {}, .old_mask = {}};
  }
  if (action.handler == abi::kSignalIgnore) {
    return {.kind = Step::Kind::kAgain, .info = {}, .action = {}, .old_mask = {}};
  }
  if (action.handler != abi::kSignalDefault) {
    std::optional<SignalSet>& saved = Access::SavedMaskLocked(task);
    Step step{.kind = Step::Kind::kHandle,
              .info = info,
              .action = action,
              .old_mask = saved.value_or(task.signal_mask())};
    saved.reset();
    if ((action.flags & SA_RESETHAND) != 0) action.handler = abi::kSignalDefault;
    return step;
  }
  bool spared = group.unkillable && !abi::kUnblockableSignals.Has(info.signal);
  switch (spared ? DefaultAction::kIgnore : DefaultActionOf(info.signal)) {
    case DefaultAction::kIgnore:
    case DefaultAction::kContinue:
      break;
    case DefaultAction::kStop:
      BeginStopLocked(tasks, group, info.signal);
      break;
    case DefaultAction::kTerminate:
      ExitGroupLocked(tasks, group, SignaledStatus(info.signal, false));
      break;
    case DefaultAction::kCore:
      // Core files are never written, so wait4's core bit stays clear.
      ExitGroupLocked(tasks, group, SignaledStatus(info.signal, false));
      break;
  }
  return {.kind = Step::Kind::kAgain, .info = {}, .action = {}, .old_mask = {}};
}

Step NextStepOf(Task& task) {
  TaskSet& tasks = task.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  ThreadGroup& group = *task.group();
  Step step{.kind = Step::Kind::kRun, .info = {}, .action = {}, .old_mask = {}};
  if (Access::MustExitLocked(task) || group.exiting) {
    step.kind = Step::Kind::kExit;
    return step;
  }
  if (group.stopping) {
    step.kind = Step::Kind::kStop;
    return step;
  }
  SignalSet deliverable = ~task.signal_mask();
  std::optional<SignalInfo> info = Access::TakeSignalLocked(task, deliverable);
  if (info.has_value()) return TakeSignalStepLocked(tasks, task, *info);

  // Nothing left. A temporary mask ends with its call; what it kept back may be deliverable now.
  std::optional<SignalSet>& saved = Access::SavedMaskLocked(task);
  if (saved.has_value()) {
    Access::StoreMaskLocked(task, *saved);
    saved.reset();
    step.kind = Step::Kind::kAgain;
    return step;
  }
  Access::ClearInterruptLocked(task);
  return step;
}

void Deliver(Task& task, const Step& step) {
  RestartOrFail(task, &step.action);
  if (!BuildSignalFrame(task, step.info, step.action, step.old_mask).ok()) {
    // A stack that cannot take SIGSEGV's own frame leaves only death.
    if (step.info.signal == SIGSEGV) {
      SignalAction deadly;
      (void)SetSignalAction(task, SIGSEGV, &deadly);
    }
    ForceSignal(task, KernelSignal(SIGSEGV));
    return;
  }
  SignalSet mask = task.signal_mask() | step.action.mask;
  if ((step.action.flags & SA_NODEFER) == 0) mask.Add(step.info.signal);
  task.SetSignalMask(mask);
}

}  // namespace

NextStep Task::OnEvent(platform::Context& context, const Event& event) {
  context_ = &context;
  TakeLocalChanges();
  switch (event.kind) {
    case Event::Kind::kSyscall:
      ServeSyscall(event);
      break;
    case Event::Kind::kFault:
      ServeFault(event);
      break;
    case Event::Kind::kInterrupted:
      interrupted_.store(true, std::memory_order_release);
      break;
    case Event::Kind::kDead: {
      // The host took the stub away (out of memory, a limit): for the guest, SIGKILL.
      MutexLock lock(&kernel_->tasks().mu_);
      if (!group_->exiting && kernel_->limits().memory_bytes != 0) {
        LOG(Info, "process %d (%s) was killed by the host: out of memory, most likely",
            group_->tgid(), name().c_str());
        kernel_->CountOomKill();
      }
      ExitGroupLocked(kernel_->tasks(), *group_, SignaledStatus(SIGKILL, false));
      stub_dead_ = true;
      break;
    }
  }
  return PrepareToResume();
}

void Task::ServeSyscall(const Event& event) {
  syscall_number_.store(event.syscall_number, std::memory_order_relaxed);
  SyscallResult result = kernel_->dispatcher().Dispatch(*this, event.syscall_number,
                                                        SyscallArguments{event.arguments});
  syscall_number_.store(kNoSyscall, std::memory_order_relaxed);
  kernel_->async_signals().DeliverPending();
  if (result.ok()) {
    registers().rax = *result;
    return;
  }
  int error = result.error().value();
  if (error == ERESTARTSYS || error == ERESTARTNOINTR || error == ERESTARTNOHAND ||
      error == ERESTART_RESTARTBLOCK) {
    restart_code_ = error;
    interrupted_.store(true, std::memory_order_release);
    error = EINTR;
  }
  registers().rax = static_cast<uint64_t>(-static_cast<int64_t>(error));
}

void Task::ServeFault(const Event& event) {
  last_fault_ = event;
  SignalInfo info;
  info.signal = event.signal;
  info.code = event.signal_code;
  info.fields.fault.address = event.fault_address;
  ForceSignal(*this, info);
}

NextStep Task::PrepareToResume() {
  // Most calls end here: nothing pending, nothing saved.
  if (!interrupted() && !saved_mask_.has_value() && !restart_code_.has_value()) {
    TellLocalAnswers();
    return NextStep::kResume;
  }
  while (true) {
    Step step = NextStepOf(*this);
    switch (step.kind) {
      case Step::Kind::kRun:
        RestartOrFail(*this, nullptr);
        TellLocalAnswers();
        return NextStep::kResume;
      case Step::Kind::kExit:
        FinishExit(*this);
        return NextStep::kExit;
      case Step::Kind::kStop:
        StopWithGroup(*this);
        break;
      case Step::Kind::kHandle:
        Deliver(*this, step);
        break;
      case Step::Kind::kAgain:
        break;
    }
  }
}

void Task::OnExited() { Unref(); }

}  // namespace redoubt::kernel
