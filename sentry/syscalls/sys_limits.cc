// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_limits.h"

#include <sys/resource.h>

#include "sentry/kernel/interval_timers.h"
#include "sentry/kernel/kernel.h"
#include "sentry/mm/host_limit.h"
#include "sentry/syscalls/cpu_clock.h"
#include "sentry/syscalls/task_lookup.h"
#include "sentry/syscalls/usage.h"
#include "sentry/time/clock.h"

namespace redoubt::syscalls {

namespace {

using kernel::Limit;

constexpr uint64_t kMaximumOpenFiles = 1 << 20;  // fs.nr_open.

// check_prlimit_permission().
Result<void> CheckMayLimit(const Task& task, const Task& target) {
  if (task.group() == target.group()) return {};
  RefPtr<kernel::Credentials> mine = task.credentials();
  RefPtr<kernel::Credentials> theirs = target.credentials();
  bool same_user =
      mine->uid == theirs->uid && mine->uid == theirs->euid && mine->uid == theirs->suid;
  bool same_group =
      mine->gid == theirs->gid && mine->gid == theirs->egid && mine->gid == theirs->sgid;
  if (same_user && same_group) return {};
  if (mine->HasCapability(CAP_SYS_RESOURCE)) return {};
  return Errno(EPERM);
}

// What something other than a system call enforces hears of the new limit.
void PassOn(const Task& target, unsigned resource, const Limit& limit) {
  if (resource == RLIMIT_CPU) target.group()->timers().SetCpuLimit(limit.current, limit.maximum);
  RefPtr<mm::MemoryMap> memory = target.memory();
  if (memory) mm::PassLimitToHost(*memory, static_cast<int>(resource), limit.current);
}

Result<void> SetLimit(const Task& task, Task& target, unsigned resource, const Limit& limit) {
  if (limit.current > limit.maximum) return Errno(EINVAL);
  if (resource == RLIMIT_NOFILE && limit.maximum > kMaximumOpenFiles) return Errno(EPERM);
  kernel::ThreadGroup& group = *target.group();
  bool raises = limit.maximum > group.limit(static_cast<int>(resource)).maximum;
  if (raises && !task.credentials()->HasCapability(CAP_SYS_RESOURCE)) return Errno(EPERM);
  group.SetLimit(static_cast<int>(resource), limit);
  PassOn(target, resource, limit);
  return {};
}

int64_t Ticks(uint64_t nanoseconds) {
  return static_cast<int64_t>(nanoseconds) / abi::kNanosecondsPerTick;
}

// RUSAGE_THREAD: the host's CPU clock of the stub's thread, read into the caller's own buffer.
Result<kernel::ResourceUsage> ThreadUsage(Task& task, uint64_t scratch) {
  kernel::ResourceUsage usage;
  usage.user_ns = static_cast<uint64_t>(TRY(ThreadCpuTime(task, scratch)));
  usage.max_resident_kib = task.group()->Usage().max_resident_kib;
  return usage;
}

}  // namespace

SyscallResult SysGetrlimit(Task& task, Resource resource, UserOut<Limit> limit) {
  if (resource >= RLIM_NLIMITS) return Errno(EINVAL);
  TRY(limit.Write(task, task.group()->limit(static_cast<int>(resource.value))));
  return 0UL;
}

SyscallResult SysSetrlimit(Task& task, Resource resource, UserIn<Limit> user) {
  Limit limit = TRY(user.Read(task));
  if (resource >= RLIM_NLIMITS) return Errno(EINVAL);
  TRY(SetLimit(task, task, resource, limit));
  return 0UL;
}

SyscallResult SysPrlimit64(Task& task, int32_t pid, Resource resource, UserIn<Limit> user,
                           UserOut<Limit> old_limit) {
  Limit limit;
  if (user) limit = TRY(user.Read(task));
  RefPtr<Task> target = TRY(FindTask(task, pid));
  TRY(CheckMayLimit(task, *target));
  if (resource >= RLIM_NLIMITS) return Errno(EINVAL);
  Limit old = target->group()->limit(static_cast<int>(resource.value));
  if (user) TRY(SetLimit(task, *target, resource, limit));
  TRY(old_limit.WriteIfSet(task, old));
  return 0UL;
}

SyscallResult SysGetrusage(Task& task, int32_t who, UserOut<abi::ResourceUsage> user) {
  kernel::ResourceUsage usage;
  switch (who) {
    case RUSAGE_SELF:
      usage = task.group()->Usage();
      break;
    case RUSAGE_CHILDREN:
      usage = task.group()->ChildrenUsage();
      break;
    case RUSAGE_THREAD:
      usage = TRY(ThreadUsage(task, user.address()));
      break;
    default:
      return Errno(EINVAL);
  }
  TRY(user.Write(task, ToAbi(usage)));
  return 0UL;
}

SyscallResult SysTimes(Task& task, UserOut<abi::ProcessTimes> user) {
  kernel::ResourceUsage own = task.group()->Usage();
  kernel::ResourceUsage children = task.group()->ChildrenUsage();
  abi::ProcessTimes times{.user = Ticks(own.user_ns),
                          .system = Ticks(own.system_ns),
                          .children_user = Ticks(children.user_ns),
                          .children_system = Ticks(children.system_ns)};
  TRY(user.WriteIfSet(task, times));
  return static_cast<uint64_t>(time::Now(time::Clock::kMonotonic) / abi::kNanosecondsPerTick);
}

}  // namespace redoubt::syscalls
