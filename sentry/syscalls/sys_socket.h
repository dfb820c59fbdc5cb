// SPDX-License-Identifier: Apache-2.0
//
// Making, naming and connecting sockets. Data: sys_send.h, sys_receive.h.
#ifndef SENTRY_SYSCALLS_SYS_SOCKET_H_
#define SENTRY_SYSCALLS_SYS_SOCKET_H_

#include "sentry/syscalls/args.h"
#include "sentry/syscalls/sys_pipe.h"

namespace redoubt::syscalls {

SyscallResult SysSocket(Task& task, int32_t family, int32_t type, int32_t protocol);
SyscallResult SysSocketpair(Task& task, int32_t family, int32_t type, int32_t protocol,
                            UserOut<DescriptorPair> fds);
SyscallResult SysBind(Task& task, FdNumber fd, UserAddress address, int32_t length);
SyscallResult SysConnect(Task& task, FdNumber fd, UserAddress address, int32_t length);
SyscallResult SysListen(Task& task, FdNumber fd, int32_t backlog);
SyscallResult SysAccept(Task& task, FdNumber fd, UserAddress address, UserInOut<int32_t> length);
SyscallResult SysAccept4(Task& task, FdNumber fd, UserAddress address, UserInOut<int32_t> length,
                         int32_t flags);
SyscallResult SysGetsockname(Task& task, FdNumber fd, UserAddress address,
                             UserInOut<int32_t> length);
SyscallResult SysGetpeername(Task& task, FdNumber fd, UserAddress address,
                             UserInOut<int32_t> length);
SyscallResult SysShutdown(Task& task, FdNumber fd, int32_t how);
SyscallResult SysSetsockopt(Task& task, FdNumber fd, int32_t level, int32_t name, UserBytesIn value,
                            int32_t length);
SyscallResult SysGetsockopt(Task& task, FdNumber fd, int32_t level, int32_t name, UserAddress value,
                            UserInOut<int32_t> length);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SOCKET_H_
