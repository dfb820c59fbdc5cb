// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/task_seccomp.h"

#include <linux/audit.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "sentry/kernel/exit.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/kernel/task_access.h"

namespace redoubt::kernel {

namespace {

using seccomp::Filter;
using seccomp::Verdict;

constexpr int kSysSeccomp = 1;  // si_code SYS_SECCOMP, which this libc does not name.

// What the call leaves in rax when it is not done; may be any value, so it travels as a success.
SyscallResult Answer(int64_t value) { return static_cast<unsigned long>(value); }

void LogVerdict(Task& task, uint64_t number, const char* what) {
  LOG(Info, "seccomp: %s of task %d (%s) by its filter: call %llu", what, task.tid(),
      task.name().c_str(), static_cast<unsigned long long>(number));
}

SignalInfo TrapSignal(Task& task, uint64_t number, uint32_t data) {
  SignalInfo info;
  info.signal = SIGSYS;
  info.code = kSysSeccomp;
  info.error = static_cast<int32_t>(data);
  info.fields.call.address = task.registers().rip;
  info.fields.call.number = static_cast<int32_t>(number);
  info.fields.call.architecture = AUDIT_ARCH_X86_64;
  return info;
}

bool IsLastThread(Task& task) {
  MutexLock lock(&task.kernel().tasks().mu_);
  const auto& tasks = task.group()->tasks;
  return std::all_of(tasks.begin(), tasks.end(), [&](const RefPtr<Task>& other) {
    return other == &task || TaskAccess::ExitingLocked(*other);
  });
}

std::optional<SyscallResult> Carry(Task& task, uint64_t number, const Verdict& verdict) {
  constexpr uint32_t kMaxErrno = 4095;
  switch (verdict.action) {
    case SECCOMP_RET_ALLOW:
      return std::nullopt;
    case SECCOMP_RET_LOG:
      LogVerdict(task, number, "log");
      return std::nullopt;
    case SECCOMP_RET_ERRNO:
      if (verdict.filter->log()) LogVerdict(task, number, "errno");
      return Answer(-static_cast<int64_t>(std::min(verdict.data, kMaxErrno)));
    case SECCOMP_RET_TRACE:       // Nobody can trace a guest process.
    case SECCOMP_RET_USER_NOTIF:  // No filter here has a listener.
      return Answer(-ENOSYS);
    case SECCOMP_RET_TRAP:
      if (verdict.filter->log()) LogVerdict(task, number, "trap");
      ForceSignal(task, TrapSignal(task, number, verdict.data));
      return Answer(static_cast<int64_t>(number));  // The handler sees the registers as they were.
    case SECCOMP_RET_KILL_THREAD:
      LogVerdict(task, number, "end");
      if (!IsLastThread(task)) {
        ExitTask(task, SignaledStatus(SIGSYS, false));
        return Answer(static_cast<int64_t>(number));
      }
      break;
    default:  // What no kernel knows kills too.
      LogVerdict(task, number, "kill");
      break;
  }
  ExitGroup(*task.group(), SignaledStatus(SIGSYS, false));
  return Answer(static_cast<int64_t>(number));
}

std::optional<SyscallResult> CheckStrict(Task& task, uint64_t number) {
  constexpr std::array<uint32_t, 4> kAllowed = {SYS_read, SYS_write, SYS_exit, SYS_rt_sigreturn};
  uint32_t low = static_cast<uint32_t>(number);
  if (std::find(kAllowed.begin(), kAllowed.end(), low) != kAllowed.end()) return std::nullopt;
  LogVerdict(task, number, "strict mode: end");
  ExitTask(task, SignaledStatus(SIGKILL, false));
  return Answer(static_cast<int64_t>(number));
}

// A thread that TSYNC cannot take along: it has a filter that the caller does not descend from.
Task* FirstAstray(Task& caller) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const Filter* head = caller.seccomp.head();
  for (const RefPtr<Task>& thread : caller.group()->tasks) {
    if (thread == &caller || TaskAccess::ExitingLocked(*thread)) continue;
    bool strict = thread->seccomp.mode() == SECCOMP_MODE_STRICT;
    const Filter* its = thread->seccomp.head();
    bool older = its == nullptr || (head != nullptr && head->Descends(its));
    if (strict || !older) return thread.get();
  }
  return nullptr;
}

}  // namespace

std::optional<SyscallResult> CheckSeccomp(Task& task, uint64_t number,
                                          const SyscallArguments& arguments) {
  if (task.seccomp.mode() == SECCOMP_MODE_STRICT) return CheckStrict(task, number);
  seccomp_data data;
  data.nr = static_cast<int>(number);
  data.arch = AUDIT_ARCH_X86_64;
  data.instruction_pointer = task.registers().rip;
  std::copy(arguments.values.begin(), arguments.values.end(), data.args);
  return Carry(task, number, task.seccomp.head()->Evaluate(data));
}

Result<void> EnterStrictMode(Task& task) {
  if (task.seccomp.mode() == SECCOMP_MODE_FILTER) return Errno(EINVAL);
  task.seccomp.SetStrict();
  return {};
}

Result<uint64_t> InstallFilter(Task& task, seccomp::BpfProgram program,
                               const FilterOptions& options) {
  if (task.seccomp.mode() == SECCOMP_MODE_STRICT) return Errno(EINVAL);
  TaskSet& tasks = task.kernel().tasks();
  MutexLock lock(&tasks.mu_);
  if (options.all_threads) {
    if (Task* astray = FirstAstray(task); astray != nullptr) {
      if (options.esrch) return Errno(ESRCH);
      return static_cast<uint64_t>(astray->tid());
    }
  }
  auto filter = TRY(Filter::Append(task.seccomp.Share(), std::move(program), options.log));
  task.seccomp.SetHead(filter);
  if (!options.all_threads) return uint64_t{0};
  for (const RefPtr<Task>& thread : task.group()->tasks) {
    if (thread == &task || TaskAccess::ExitingLocked(*thread)) continue;
    thread->seccomp.SetHead(filter);
    if (task.no_new_privileges) thread->no_new_privileges = true;
    // On its way out of guest code it has its calls reported.
    TaskAccess::InterruptLocked(*thread);
  }
  return uint64_t{0};
}

Result<void> InstallFirstFilter(Task& task, seccomp::BpfProgram program, bool log) {
  task.seccomp.SetHead(TRY(Filter::Append(nullptr, std::move(program), log)));
  return task.ReportCallsToFilters();
}

void InheritSeccomp(const Task& parent, Task& child) {
  child.no_new_privileges = parent.no_new_privileges.load();
  if (parent.seccomp.mode() == SECCOMP_MODE_STRICT) child.seccomp.SetStrict();
  if (parent.seccomp.mode() == SECCOMP_MODE_FILTER) {
    child.seccomp.SetHead(parent.seccomp.Share());
  }
}
}  // namespace redoubt::kernel
