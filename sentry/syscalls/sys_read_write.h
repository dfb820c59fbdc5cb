// SPDX-License-Identifier: Apache-2.0
//
// read(2), write(2), pread(2), readv(2) and all their forms; lseek(2).
#ifndef SENTRY_SYSCALLS_SYS_READ_WRITE_H_
#define SENTRY_SYSCALLS_SYS_READ_WRITE_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysRead(Task& task, FdNumber fd, UserBytesOut buffer, uint64_t count);
SyscallResult SysWrite(Task& task, FdNumber fd, UserBytesIn buffer, uint64_t count);
SyscallResult SysPread64(Task& task, FdNumber fd, UserBytesOut buffer, uint64_t count,
                         int64_t offset);
SyscallResult SysPwrite64(Task& task, FdNumber fd, UserBytesIn buffer, uint64_t count,
                          int64_t offset);
SyscallResult SysReadv(Task& task, FdNumber fd, UserIovecOut iov, uint64_t count);
SyscallResult SysWritev(Task& task, FdNumber fd, UserIovecIn iov, uint64_t count);
// The offset comes in two halves; on amd64 the first one has all of it.
SyscallResult SysPreadv(Task& task, FdNumber fd, UserIovecOut iov, uint64_t count, int64_t offset);
SyscallResult SysPwritev(Task& task, FdNumber fd, UserIovecIn iov, uint64_t count, int64_t offset);
SyscallResult SysPreadv2(Task& task, FdNumber fd, UserIovecOut iov, uint64_t count, int64_t offset,
                         uint64_t unused, uint32_t flags);
SyscallResult SysPwritev2(Task& task, FdNumber fd, UserIovecIn iov, uint64_t count, int64_t offset,
                          uint64_t unused, uint32_t flags);
SyscallResult SysLseek(Task& task, FdNumber fd, int64_t offset, uint32_t whence);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_READ_WRITE_H_
