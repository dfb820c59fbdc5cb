// SPDX-License-Identifier: Apache-2.0
//
// open_tree(2), move_mount(2), mount_setattr(2): trees of mounts by descriptors.
#ifndef SENTRY_SYSCALLS_SYS_MOVE_MOUNT_H_
#define SENTRY_SYSCALLS_SYS_MOVE_MOUNT_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysOpenTree(Task& task, DirFd dirfd, UserPath path, uint32_t flags);
SyscallResult SysMoveMount(Task& task, DirFd from_dirfd, UserPath from, DirFd to_dirfd, UserPath to,
                           uint32_t flags);
SyscallResult SysMountSetattr(Task& task, DirFd dirfd, UserPath path, uint32_t flags,
                              UserAddress attributes, uint64_t size);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_MOVE_MOUNT_H_
