// SPDX-License-Identifier: Apache-2.0
//
// chmod(2), chown(2), utimensat(2), truncate(2), access(2) in all their forms.
#ifndef SENTRY_SYSCALLS_SYS_ATTR_H_
#define SENTRY_SYSCALLS_SYS_ATTR_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// struct utimbuf: seconds.
struct OldFileTimes {
  int64_t access = 0;
  int64_t modify = 0;
};
// What the newer forms take: access time, modification time.
struct FileTimevals {
  abi::Timeval access;
  abi::Timeval modify;
};
struct FileTimespecs {
  abi::Timespec access;
  abi::Timespec modify;
};

SyscallResult SysChmod(Task& task, UserPath path, FileMode mode);
SyscallResult SysFchmod(Task& task, FdNumber fd, FileMode mode);
SyscallResult SysFchmodat(Task& task, DirFd dirfd, UserPath path, FileMode mode);
SyscallResult SysFchmodat2(Task& task, DirFd dirfd, UserPath path, FileMode mode, int32_t flags);

SyscallResult SysChown(Task& task, UserPath path, uint32_t uid, uint32_t gid);
SyscallResult SysLchown(Task& task, UserPath path, uint32_t uid, uint32_t gid);
SyscallResult SysFchown(Task& task, FdNumber fd, uint32_t uid, uint32_t gid);
SyscallResult SysFchownat(Task& task, DirFd dirfd, UserPath path, uint32_t uid, uint32_t gid,
                          int32_t flags);

SyscallResult SysUtime(Task& task, UserPath path, UserIn<OldFileTimes> times);
SyscallResult SysUtimes(Task& task, UserPath path, UserIn<FileTimevals> times);
SyscallResult SysFutimesat(Task& task, DirFd dirfd, UserPath path, UserIn<FileTimevals> times);
SyscallResult SysUtimensat(Task& task, DirFd dirfd, UserPath path, UserIn<FileTimespecs> times,
                           int32_t flags);

SyscallResult SysTruncate(Task& task, UserPath path, int64_t length);
SyscallResult SysFtruncate(Task& task, FdNumber fd, int64_t length);

SyscallResult SysAccess(Task& task, UserPath path, int32_t mode);
SyscallResult SysFaccessat(Task& task, DirFd dirfd, UserPath path, int32_t mode);
SyscallResult SysFaccessat2(Task& task, DirFd dirfd, UserPath path, int32_t mode, int32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_ATTR_H_
