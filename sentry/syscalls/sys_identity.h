// SPDX-License-Identifier: Apache-2.0
//
// User and group ids (credentials(7)): getuid(2), setresuid(2), setgroups(2) ...
#ifndef SENTRY_SYSCALLS_SYS_IDENTITY_H_
#define SENTRY_SYSCALLS_SYS_IDENTITY_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysGetuid(Task& task);
SyscallResult SysGeteuid(Task& task);
SyscallResult SysGetgid(Task& task);
SyscallResult SysGetegid(Task& task);
SyscallResult SysGetresuid(Task& task, UserOut<uint32_t> real, UserOut<uint32_t> effective,
                           UserOut<uint32_t> saved);
SyscallResult SysGetresgid(Task& task, UserOut<uint32_t> real, UserOut<uint32_t> effective,
                           UserOut<uint32_t> saved);
SyscallResult SysSetuid(Task& task, uint32_t id);
SyscallResult SysSetgid(Task& task, uint32_t id);
SyscallResult SysSetreuid(Task& task, uint32_t real, uint32_t effective);
SyscallResult SysSetregid(Task& task, uint32_t real, uint32_t effective);
SyscallResult SysSetresuid(Task& task, uint32_t real, uint32_t effective, uint32_t saved);
SyscallResult SysSetresgid(Task& task, uint32_t real, uint32_t effective, uint32_t saved);
SyscallResult SysSetfsuid(Task& task, uint32_t id);
SyscallResult SysSetfsgid(Task& task, uint32_t id);
SyscallResult SysGetgroups(Task& task, int32_t count, UserAddress list);
SyscallResult SysSetgroups(Task& task, int32_t count, UserAddress list);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_IDENTITY_H_
