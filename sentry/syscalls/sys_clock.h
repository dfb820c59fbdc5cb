// SPDX-License-Identifier: Apache-2.0
//
// Reading clocks and sleeping: clock_gettime(2), nanosleep(2) and friends.
#ifndef SENTRY_SYSCALLS_SYS_CLOCK_H_
#define SENTRY_SYSCALLS_SYS_CLOCK_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysClockGettime(Task& task, ClockId clock, UserOut<abi::Timespec> time);
SyscallResult SysClockGetres(Task& task, ClockId clock, UserOut<abi::Timespec> resolution);
SyscallResult SysClockSettime(Task& task, ClockId clock, UserIn<abi::Timespec> time);
SyscallResult SysGettimeofday(Task& task, UserOut<abi::Timeval> time, UserOut<uint64_t> zone);
SyscallResult SysTime(Task& task, UserOut<int64_t> time);
SyscallResult SysNanosleep(Task& task, UserIn<abi::Timespec> request,
                           UserOut<abi::Timespec> remaining);
SyscallResult SysClockNanosleep(Task& task, ClockId clock, int32_t flags,
                                UserIn<abi::Timespec> request, UserOut<abi::Timespec> remaining);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_CLOCK_H_
