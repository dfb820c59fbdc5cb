// SPDX-License-Identifier: Apache-2.0
//
// mq_open(3), mq_unlink(3), mq_send(3), mq_receive(3), mq_notify(3), mq_getattr(3), as the kernel
// has them.
#ifndef SENTRY_SYSCALLS_SYS_MQUEUE_H_
#define SENTRY_SYSCALLS_SYS_MQUEUE_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// struct mq_attr.
struct QueueAttributes {
  int64_t flags = 0;
  int64_t max_messages = 0;
  int64_t message_size = 0;
  int64_t messages = 0;
  int64_t reserved[4] = {};
};

SyscallResult SysMqOpen(Task& task, UserPath name, OpenFlags flags, FileMode mode,
                        UserIn<QueueAttributes> attributes);
SyscallResult SysMqUnlink(Task& task, UserPath name);
SyscallResult SysMqTimedsend(Task& task, FdNumber fd, UserBytesIn text, uint64_t size,
                             uint32_t priority, UserIn<abi::Timespec> timeout);
SyscallResult SysMqTimedreceive(Task& task, FdNumber fd, UserBytesOut text, uint64_t size,
                                UserOut<uint32_t> priority, UserIn<abi::Timespec> timeout);
SyscallResult SysMqNotify(Task& task, FdNumber fd, UserAddress event);
SyscallResult SysMqGetsetattr(Task& task, FdNumber fd, UserIn<QueueAttributes> next,
                              UserOut<QueueAttributes> old);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_MQUEUE_H_
