// SPDX-License-Identifier: Apache-2.0
//
// Getting data to where they last, and telling what will be needed: sync(2), fsync(2),
// sync_file_range(2), fallocate(2), posix_fadvise(2), readahead(2).
#ifndef SENTRY_SYSCALLS_SYS_SYNC_H_
#define SENTRY_SYSCALLS_SYS_SYNC_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysSync(Task& task);
SyscallResult SysSyncfs(Task& task, FdNumber fd);
SyscallResult SysFsync(Task& task, FdNumber fd);
SyscallResult SysFdatasync(Task& task, FdNumber fd);
SyscallResult SysSyncFileRange(Task& task, FdNumber fd, int64_t offset, int64_t length,
                               uint32_t flags);
SyscallResult SysFallocate(Task& task, FdNumber fd, int32_t mode, int64_t offset, int64_t length);
SyscallResult SysFadvise64(Task& task, FdNumber fd, int64_t offset, int64_t length, int32_t advice);
SyscallResult SysReadahead(Task& task, FdNumber fd, int64_t offset, uint64_t count);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SYNC_H_
