// SPDX-License-Identifier: Apache-2.0
//
// msgget(2), msgsnd(2), msgrcv(2), msgctl(2).
#ifndef SENTRY_SYSCALLS_SYS_MSG_H_
#define SENTRY_SYSCALLS_SYS_MSG_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysMsgget(Task& task, int32_t key, int32_t flags);
SyscallResult SysMsgsnd(Task& task, int32_t id, UserAddress message, uint64_t size, int32_t flags);
SyscallResult SysMsgrcv(Task& task, int32_t id, UserAddress message, uint64_t size, int64_t type,
                        int32_t flags);
SyscallResult SysMsgctl(Task& task, int32_t id, int32_t command, UserAddress buffer);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_MSG_H_
