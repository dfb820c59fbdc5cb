// SPDX-License-Identifier: Apache-2.0
//
// Guest seccomp (kernel/seccomp.c): what a task's filters say of a call, and how filters get there.
//
//   Dispatcher:   if (task.seccomp.active()) [[unlikely]] {
//                   if (auto answer = CheckSeccomp(task, number, arguments)) return *answer;
//                 }
//
// This is the guest's own wall, between it and the sentry; the wall between the guest and the host
// is the platform's. What a platform answers without the sentry, or leaves to the host, becomes an event
// for a task whose filters may refuse it: Task::ReportCallsToFilters().
#ifndef SENTRY_KERNEL_TASK_SECCOMP_H_
#define SENTRY_KERNEL_TASK_SECCOMP_H_

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/seccomp/bpf_program.h"

namespace redoubt::kernel {

// What to do instead of the call; nothing: do the call. Only when seccomp.active().
std::optional<SyscallResult> CheckSeccomp(Task& task, uint64_t number,
                                          const SyscallArguments& arguments);

// SECCOMP_SET_MODE_STRICT. EINVAL when there are filters.
Result<void> EnterStrictMode(Task& task);

struct FilterOptions {
  bool log = false;          // SECCOMP_FILTER_FLAG_LOG
  bool all_threads = false;  // SECCOMP_FILTER_FLAG_TSYNC
  bool esrch = false;        // SECCOMP_FILTER_FLAG_TSYNC_ESRCH
};
// SECCOMP_SET_MODE_FILTER; the caller has checked the privilege. Gives 0, or with all_threads the
// number of a thread that has filters of its own (then nothing was changed).
Result<uint64_t> InstallFilter(Task& task, seccomp::BpfProgram program,
                               const FilterOptions& options);
// For the first process, before it starts.
Result<void> InstallFirstFilter(Task& task, seccomp::BpfProgram program, bool log);

// A new task starts with what its parent has. Under TaskSet::mu_, as TSYNC is.
void InheritSeccomp(const Task& parent, Task& child);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_TASK_SECCOMP_H_
