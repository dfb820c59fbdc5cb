// SPDX-License-Identifier: Apache-2.0
//
// Data from file to file: sendfile(2), splice(2), tee(2), vmsplice(2), copy_file_range(2).
#ifndef SENTRY_SYSCALLS_SYS_SPLICE_H_
#define SENTRY_SYSCALLS_SYS_SPLICE_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysSendfile(Task& task, FdNumber out_fd, FdNumber in_fd, UserInOut<int64_t> offset,
                          uint64_t count);
SyscallResult SysSplice(Task& task, FdNumber in_fd, UserInOut<int64_t> in_offset, FdNumber out_fd,
                        UserInOut<int64_t> out_offset, uint64_t length, uint32_t flags);
SyscallResult SysTee(Task& task, FdNumber in_fd, FdNumber out_fd, uint64_t length, uint32_t flags);
SyscallResult SysVmsplice(Task& task, FdNumber fd, UserAddress iov, uint64_t count, uint32_t flags);
SyscallResult SysCopyFileRange(Task& task, FdNumber in_fd, UserInOut<int64_t> in_offset,
                               FdNumber out_fd, UserInOut<int64_t> out_offset, uint64_t length,
                               uint32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SPLICE_H_
