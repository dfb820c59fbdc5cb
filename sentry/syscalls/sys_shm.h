// SPDX-License-Identifier: Apache-2.0
//
// shmget(2), shmat(2), shmdt(2), shmctl(2).
#ifndef SENTRY_SYSCALLS_SYS_SHM_H_
#define SENTRY_SYSCALLS_SYS_SHM_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysShmget(Task& task, int32_t key, uint64_t size, int32_t flags);
SyscallResult SysShmat(Task& task, int32_t id, UserAddress address, int32_t flags);
SyscallResult SysShmdt(Task& task, UserAddress address);
SyscallResult SysShmctl(Task& task, int32_t id, int32_t command, UserAddress buffer);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SHM_H_
