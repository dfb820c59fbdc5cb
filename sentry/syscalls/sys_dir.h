// SPDX-License-Identifier: Apache-2.0
//
// Names: making, removing, renaming and linking them, and the working directory. The rules are in
// sentry/vfs/operations.h.
#ifndef SENTRY_SYSCALLS_SYS_DIR_H_
#define SENTRY_SYSCALLS_SYS_DIR_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysMkdir(Task& task, UserPath path, FileMode mode);
SyscallResult SysMkdirat(Task& task, DirFd dirfd, UserPath path, FileMode mode);
SyscallResult SysMknod(Task& task, UserPath path, FileMode mode, uint32_t device);
SyscallResult SysMknodat(Task& task, DirFd dirfd, UserPath path, FileMode mode, uint32_t device);
SyscallResult SysRmdir(Task& task, UserPath path);
SyscallResult SysUnlink(Task& task, UserPath path);
SyscallResult SysUnlinkat(Task& task, DirFd dirfd, UserPath path, int32_t flags);
SyscallResult SysRename(Task& task, UserPath old_path, UserPath new_path);
SyscallResult SysRenameat(Task& task, DirFd old_dirfd, UserPath old_path, DirFd new_dirfd,
                          UserPath new_path);
SyscallResult SysRenameat2(Task& task, DirFd old_dirfd, UserPath old_path, DirFd new_dirfd,
                           UserPath new_path, uint32_t flags);
SyscallResult SysLink(Task& task, UserPath old_path, UserPath new_path);
SyscallResult SysLinkat(Task& task, DirFd old_dirfd, UserPath old_path, DirFd new_dirfd,
                        UserPath new_path, int32_t flags);
SyscallResult SysSymlink(Task& task, UserPath target, UserPath path);
SyscallResult SysSymlinkat(Task& task, UserPath target, DirFd dirfd, UserPath path);
SyscallResult SysReadlink(Task& task, UserPath path, UserBytesOut buffer, int32_t size);
SyscallResult SysReadlinkat(Task& task, DirFd dirfd, UserPath path, UserBytesOut buffer,
                            int32_t size);

SyscallResult SysChdir(Task& task, UserPath path);
SyscallResult SysFchdir(Task& task, FdNumber fd);
SyscallResult SysGetcwd(Task& task, UserBytesOut buffer, uint64_t size);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_DIR_H_
