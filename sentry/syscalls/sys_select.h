// SPDX-License-Identifier: Apache-2.0
//
// select(2), pselect(2).
#ifndef SENTRY_SYSCALLS_SYS_SELECT_H_
#define SENTRY_SYSCALLS_SYS_SELECT_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// The last argument of pselect6: address and size of a signal set.
struct SignalSetArgument {
  uint64_t address = 0;
  uint64_t size = 0;
};

SyscallResult SysSelect(Task& task, int32_t count, UserAddress read, UserAddress write,
                        UserAddress except, UserInOut<abi::Timeval> timeout);
SyscallResult SysPselect6(Task& task, int32_t count, UserAddress read, UserAddress write,
                          UserAddress except, UserInOut<abi::Timespec> timeout,
                          UserIn<SignalSetArgument> mask);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SELECT_H_
