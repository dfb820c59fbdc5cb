// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_sched.h"

#include <sched.h>
#include <sys/syscall.h>

#include <algorithm>

#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/extensible_struct.h"
#include "sentry/syscalls/task_lookup.h"

namespace redoubt::syscalls {

namespace {

constexpr int kMaximumRealtimePriority = 99;

bool IsRealtime(int policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }
bool IsOrdinary(int policy) {
  return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

// The CPUs that exist, as a mask; more than 64 are not shown.
uint64_t OnlineMask(Task& task) {
  unsigned count = std::min(task.kernel().cpu_count(), 64U);
  return count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

// __sched_setscheduler(): EINVAL for what cannot be, EPERM for what is not given here.
Result<void> SetPolicy(Task& task, Task& target, int policy, int priority) {
  policy &= ~SCHED_RESET_ON_FORK;
  if (!IsRealtime(policy) && !IsOrdinary(policy)) return Errno(EINVAL);
  if (priority < 0 || priority > kMaximumRealtimePriority) return Errno(EINVAL);
  if (IsRealtime(policy) != (priority != 0)) return Errno(EINVAL);
  TRY(CheckMaySchedule(task, target));
  if (IsRealtime(policy)) return Errno(EPERM);
  target.scheduling_policy = static_cast<uint32_t>(policy);
  return {};
}

}  // namespace

SyscallResult SysSchedYield(Task& task) {
  return task.context().HostCall({.number = SYS_sched_yield});
}

SyscallResult SysSchedSetaffinity(Task& task, int32_t tid, uint32_t length, UserAddress address) {
  uint64_t mask = 0;
  auto bytes = std::as_writable_bytes(std::span(&mask, 1));
  TRY(task.CopyIn(address.address(), bytes.first(std::min<size_t>(length, sizeof(mask)))));
  RefPtr<Task> target = TRY(FindTask(task, tid));
  TRY(CheckMaySchedule(task, *target));
  if ((mask & OnlineMask(task)) == 0) return Errno(EINVAL);
  target->affinity_mask = mask;
  return 0UL;
}

SyscallResult SysSchedGetaffinity(Task& task, int32_t tid, uint32_t length, UserAddress address) {
  if (length * 8ULL < task.kernel().cpu_count()) return Errno(EINVAL);
  if (length % sizeof(uint64_t) != 0) return Errno(EINVAL);
  RefPtr<Task> target = TRY(FindTask(task, tid));
  uint64_t mask = target->affinity_mask & OnlineMask(task);
  TRY(task.CopyOut(address.address(), mask));
  return sizeof(mask);
}

SyscallResult SysSchedSetscheduler(Task& task, int32_t tid, int32_t policy,
                                   UserIn<int32_t> user_priority) {
  if (policy < 0 || tid < 0 || !user_priority) return Errno(EINVAL);
  int priority = TRY(user_priority.Read(task));
  RefPtr<Task> target = TRY(FindTask(task, tid));
  TRY(SetPolicy(task, *target, policy, priority));
  return 0UL;
}

SyscallResult SysSchedGetscheduler(Task& task, int32_t tid) {
  if (tid < 0) return Errno(EINVAL);
  RefPtr<Task> target = TRY(FindTask(task, tid));
  return uint64_t{target->scheduling_policy.load()};
}

SyscallResult SysSchedSetparam(Task& task, int32_t tid, UserIn<int32_t> user_priority) {
  if (tid < 0 || !user_priority) return Errno(EINVAL);
  int priority = TRY(user_priority.Read(task));
  RefPtr<Task> target = TRY(FindTask(task, tid));
  TRY(SetPolicy(task, *target, static_cast<int>(target->scheduling_policy.load()), priority));
  return 0UL;
}

SyscallResult SysSchedGetparam(Task& task, int32_t tid, UserOut<int32_t> priority) {
  if (tid < 0 || !priority) return Errno(EINVAL);
  TRY(FindTask(task, tid));
  TRY(priority.Write(task, 0));  // Nobody is real-time.
  return 0UL;
}

SyscallResult SysSchedGetPriorityMax(Task&, int32_t policy) {
  if (IsRealtime(policy)) return uint64_t{kMaximumRealtimePriority};
  if (IsOrdinary(policy) || policy == SCHED_DEADLINE) return 0UL;
  return Errno(EINVAL);
}

SyscallResult SysSchedGetPriorityMin(Task&, int32_t policy) {
  if (IsRealtime(policy)) return 1UL;
  if (IsOrdinary(policy) || policy == SCHED_DEADLINE) return 0UL;
  return Errno(EINVAL);
}

SyscallResult SysSchedRrGetInterval(Task& task, int32_t tid, UserOut<abi::Timespec> interval) {
  if (tid < 0) return Errno(EINVAL);
  TRY(FindTask(task, tid));
  // The time slice of an ordinary thread on an idle machine.
  TRY(interval.Write(task, abi::Timespec{.nanoseconds = 4'000'000}));
  return 0UL;
}

SyscallResult SysSchedSetattr(Task& task, int32_t tid, UserIn<abi::SchedulingAttributes> user,
                              uint32_t flags) {
  if (!user || tid < 0 || flags != 0) return Errno(EINVAL);
  uint32_t size = TRY(task.CopyIn<uint32_t>(user.address()));
  if (size == 0) size = abi::kSchedulingAttributesMinimum;
  if (size < abi::kSchedulingAttributesMinimum || size > 4096) return Errno(E2BIG);
  auto attributes = TRY(CopyInExtensible<abi::SchedulingAttributes>(task, user.address(), size));
  RefPtr<Task> target = TRY(FindTask(task, tid));
  if (attributes.policy == SCHED_DEADLINE) return Errno(EPERM);
  if (attributes.policy > 0x7fffffff || attributes.priority > 0x7fffffff) return Errno(EINVAL);
  int nice = std::clamp(attributes.nice, -20, 19);
  if (IsOrdinary(static_cast<int>(attributes.policy))) {
    TRY(CheckMaySchedule(task, *target));
    if (nice < target->nice_value) TRY(CheckMayRaisePriority(task, *target, nice, EPERM));
  }
  TRY(SetPolicy(task, *target, static_cast<int>(attributes.policy),
                static_cast<int>(attributes.priority)));
  target->nice_value = nice;
  return 0UL;
}

SyscallResult SysSchedGetattr(Task& task, int32_t tid, UserOut<abi::SchedulingAttributes> user,
                              uint32_t size, uint32_t flags) {
  if (!user || tid < 0 || size > 4096 || size < abi::kSchedulingAttributesMinimum || flags != 0) {
    return Errno(EINVAL);
  }
  RefPtr<Task> target = TRY(FindTask(task, tid));
  abi::SchedulingAttributes attributes;
  attributes.size = std::min<uint32_t>(size, sizeof(attributes));
  attributes.policy = target->scheduling_policy;
  attributes.nice = target->nice_value;
  attributes.utilization_maximum = 1024;
  auto bytes = std::as_bytes(std::span(&attributes, 1));
  TRY(task.CopyOut(user.address(), bytes.first(attributes.size)));
  return 0UL;
}

SyscallResult SysGetcpu(Task& task, UserOut<uint32_t> cpu, UserOut<uint32_t> node) {
  // The serving thread's CPU: where the stub runs next is the host's decision anyhow.
  int now = sched_getcpu();
  uint32_t shown =
      now < 0 ? 0 : static_cast<uint32_t>(now) % std::max(task.kernel().cpu_count(), 1U);
  TRY(cpu.WriteIfSet(task, shown));
  TRY(node.WriteIfSet(task, 0));
  return 0UL;
}

}  // namespace redoubt::syscalls
