// SPDX-License-Identifier: Apache-2.0
//
// semget(2), semop(2), semtimedop(2), semctl(2).
#ifndef SENTRY_SYSCALLS_SYS_SEM_H_
#define SENTRY_SYSCALLS_SYS_SEM_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysSemget(Task& task, int32_t key, int32_t count, int32_t flags);
SyscallResult SysSemop(Task& task, int32_t id, UserAddress operations, uint64_t count);
SyscallResult SysSemtimedop(Task& task, int32_t id, UserAddress operations, uint64_t count,
                            UserIn<abi::Timespec> timeout);
SyscallResult SysSemctl(Task& task, int32_t id, int32_t number, int32_t command, uint64_t argument);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SEM_H_
