// SPDX-License-Identifier: Apache-2.0
//
// Extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2), each by path, by
// path without following a symlink, and by descriptor.
#ifndef SENTRY_SYSCALLS_SYS_XATTR_H_
#define SENTRY_SYSCALLS_SYS_XATTR_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysSetxattr(Task& task, UserPath path, UserString name, UserBytesIn value,
                          uint64_t size, int32_t flags);
SyscallResult SysLsetxattr(Task& task, UserPath path, UserString name, UserBytesIn value,
                           uint64_t size, int32_t flags);
SyscallResult SysFsetxattr(Task& task, FdNumber fd, UserString name, UserBytesIn value,
                           uint64_t size, int32_t flags);
SyscallResult SysGetxattr(Task& task, UserPath path, UserString name, UserBytesOut value,
                          uint64_t size);
SyscallResult SysLgetxattr(Task& task, UserPath path, UserString name, UserBytesOut value,
                           uint64_t size);
SyscallResult SysFgetxattr(Task& task, FdNumber fd, UserString name, UserBytesOut value,
                           uint64_t size);
SyscallResult SysListxattr(Task& task, UserPath path, UserBytesOut list, uint64_t size);
SyscallResult SysLlistxattr(Task& task, UserPath path, UserBytesOut list, uint64_t size);
SyscallResult SysFlistxattr(Task& task, FdNumber fd, UserBytesOut list, uint64_t size);
SyscallResult SysRemovexattr(Task& task, UserPath path, UserString name);
SyscallResult SysLremovexattr(Task& task, UserPath path, UserString name);
SyscallResult SysFremovexattr(Task& task, FdNumber fd, UserString name);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_XATTR_H_
