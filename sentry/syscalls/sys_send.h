// SPDX-License-Identifier: Apache-2.0
//
// sendto(2), sendmsg(2), sendmmsg(2).
#ifndef SENTRY_SYSCALLS_SYS_SEND_H_
#define SENTRY_SYSCALLS_SYS_SEND_H_

#include "sentry/syscalls/args.h"
#include "sentry/syscalls/message_header.h"

namespace redoubt::syscalls {

SyscallResult SysSendto(Task& task, FdNumber fd, UserBytesIn data, uint64_t count, uint32_t flags,
                        UserAddress address, int32_t length);
SyscallResult SysSendmsg(Task& task, FdNumber fd, UserIn<abi::MessageHeader> message,
                         uint32_t flags);
SyscallResult SysSendmmsg(Task& task, FdNumber fd, UserArrayInOut<ManyMessageHeader> messages,
                          uint32_t count, uint32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SEND_H_
