// SPDX-License-Identifier: Apache-2.0
//
// recvfrom(2), recvmsg(2), recvmmsg(2).
#ifndef SENTRY_SYSCALLS_SYS_RECEIVE_H_
#define SENTRY_SYSCALLS_SYS_RECEIVE_H_

#include "sentry/syscalls/args.h"
#include "sentry/syscalls/message_header.h"

namespace redoubt::syscalls {

SyscallResult SysRecvfrom(Task& task, FdNumber fd, UserBytesOut buffer, uint64_t count,
                          uint32_t flags, UserAddress address, UserInOut<int32_t> length);
SyscallResult SysRecvmsg(Task& task, FdNumber fd, UserInOut<abi::MessageHeader> message,
                         uint32_t flags);
SyscallResult SysRecvmmsg(Task& task, FdNumber fd, UserArrayInOut<ManyMessageHeader> messages,
                          uint32_t count, uint32_t flags, UserInOut<abi::Timespec> timeout);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_RECEIVE_H_
