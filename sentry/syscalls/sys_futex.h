// SPDX-License-Identifier: Apache-2.0
//
// futex(2) and robust lists. Futexes are the host's: the queues that a wait joins are those of the
// stub's own memory. Platforms let most of these calls go straight to the host; here come those of
// platforms that do not, and those that the sentry must see.
#ifndef SENTRY_SYSCALLS_SYS_FUTEX_H_
#define SENTRY_SYSCALLS_SYS_FUTEX_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// The fourth argument is a timeout or a number, by operation.
SyscallResult SysFutex(Task& task, UserAddress word, FutexOperation operation, uint32_t value,
                       UserAddress timeout_or_value, UserAddress word2, uint32_t value3);
SyscallResult SysSetRobustList(Task& task, UserAddress head, uint64_t length);
SyscallResult SysGetRobustList(Task& task, int32_t tid, UserOut<uint64_t> head,
                               UserOut<uint64_t> length);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_FUTEX_H_
