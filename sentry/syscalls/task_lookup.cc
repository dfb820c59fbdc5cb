// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/task_lookup.h"

#include <sys/resource.h>

#include "sentry/kernel/kernel.h"

namespace redoubt::syscalls {

Result<RefPtr<Task>> FindTask(Task& task, int tid) {
  if (tid == 0) return RefPtr<Task>(&task);
  return task.kernel().tasks().Find(tid);
}

Result<void> CheckMaySchedule(const Task& task, const Task& target) {
  if (&task == &target) return {};
  RefPtr<kernel::Credentials> mine = task.credentials();
  RefPtr<kernel::Credentials> theirs = target.credentials();
  if (mine->euid == theirs->euid || mine->euid == theirs->uid) return {};
  if (mine->HasCapability(CAP_SYS_NICE)) return {};
  return Errno(EPERM);
}

Result<void> CheckMayRaisePriority(const Task& task, const Task& target, int nice, int refused) {
  // The limit counts from 1 (nice 19) to 40 (nice -20).
  uint64_t needed = static_cast<uint64_t>(20 - nice);
  if (needed <= target.group()->limit(RLIMIT_NICE).current) return {};
  if (task.credentials()->HasCapability(CAP_SYS_NICE)) return {};
  return Errno(refused);
}

}  // namespace redoubt::syscalls
