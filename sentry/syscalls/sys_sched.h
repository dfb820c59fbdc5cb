// SPDX-License-Identifier: Apache-2.0
//
// Scheduling (sched(7)): affinity, policies, priorities. The host schedules stubs as ordinary
// threads; what is set here is kept and told back, and real-time policies are refused.
#ifndef SENTRY_SYSCALLS_SYS_SCHED_H_
#define SENTRY_SYSCALLS_SYS_SCHED_H_

#include "abi/linux/sched.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysSchedYield(Task& task);
SyscallResult SysSchedSetaffinity(Task& task, int32_t tid, uint32_t length, UserAddress mask);
SyscallResult SysSchedGetaffinity(Task& task, int32_t tid, uint32_t length, UserAddress mask);
SyscallResult SysSchedSetscheduler(Task& task, int32_t tid, int32_t policy,
                                   UserIn<int32_t> priority);
SyscallResult SysSchedGetscheduler(Task& task, int32_t tid);
SyscallResult SysSchedSetparam(Task& task, int32_t tid, UserIn<int32_t> priority);
SyscallResult SysSchedGetparam(Task& task, int32_t tid, UserOut<int32_t> priority);
SyscallResult SysSchedGetPriorityMax(Task& task, int32_t policy);
SyscallResult SysSchedGetPriorityMin(Task& task, int32_t policy);
SyscallResult SysSchedRrGetInterval(Task& task, int32_t tid, UserOut<abi::Timespec> interval);
SyscallResult SysSchedSetattr(Task& task, int32_t tid, UserIn<abi::SchedulingAttributes> attributes,
                              uint32_t flags);
SyscallResult SysSchedGetattr(Task& task, int32_t tid,
                              UserOut<abi::SchedulingAttributes> attributes, uint32_t size,
                              uint32_t flags);
SyscallResult SysGetpriority(Task& task, int32_t which, int32_t who);
SyscallResult SysSetpriority(Task& task, int32_t which, int32_t who, int32_t nice);
SyscallResult SysGetcpu(Task& task, UserOut<uint32_t> cpu, UserOut<uint32_t> node);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SCHED_H_
