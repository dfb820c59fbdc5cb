// SPDX-License-Identifier: Apache-2.0
//
// Timers: setitimer(2), alarm(2), timer_create(2), timerfd_create(2).
#ifndef SENTRY_SYSCALLS_SYS_TIMER_H_
#define SENTRY_SYSCALLS_SYS_TIMER_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// struct sigevent, of which the kernel uses these fields.
struct SignalEvent {
  uint64_t value = 0;
  int32_t signal = 0;
  int32_t notify = 0;
  int32_t thread_id = 0;
  int32_t unused[11] = {};
};
static_assert(sizeof(SignalEvent) == sizeof(sigevent));

SyscallResult SysGetitimer(Task& task, int32_t which, UserOut<abi::IntervalTimerValue> value);
SyscallResult SysSetitimer(Task& task, int32_t which, UserIn<abi::IntervalTimerValue> value,
                           UserOut<abi::IntervalTimerValue> old_value);
SyscallResult SysAlarm(Task& task, uint32_t seconds);

SyscallResult SysTimerCreate(Task& task, ClockId clock, UserIn<SignalEvent> event,
                             UserOut<int32_t> id);
SyscallResult SysTimerSettime(Task& task, int32_t id, int32_t flags,
                              UserIn<abi::IntervalTimerSpec> spec,
                              UserOut<abi::IntervalTimerSpec> old_spec);
SyscallResult SysTimerGettime(Task& task, int32_t id, UserOut<abi::IntervalTimerSpec> spec);
SyscallResult SysTimerGetoverrun(Task& task, int32_t id);
SyscallResult SysTimerDelete(Task& task, int32_t id);

SyscallResult SysTimerfdCreate(Task& task, ClockId clock, uint32_t flags);
SyscallResult SysTimerfdSettime(Task& task, FdNumber fd, uint32_t flags,
                                UserIn<abi::IntervalTimerSpec> spec,
                                UserOut<abi::IntervalTimerSpec> old_spec);
SyscallResult SysTimerfdGettime(Task& task, FdNumber fd, UserOut<abi::IntervalTimerSpec> spec);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_TIMER_H_
