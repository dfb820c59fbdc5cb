// SPDX-License-Identifier: Apache-2.0
//
// mount(2), umount2(2). Mounts are private: nothing propagates between namespaces, since a sandbox
// has one.
#ifndef SENTRY_SYSCALLS_SYS_MOUNT_H_
#define SENTRY_SYSCALLS_SYS_MOUNT_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysMount(Task& task, UserPath source, UserPath target, UserString type,
                       uint64_t flags, UserAddress data);
SyscallResult SysPivotRoot(Task& task, UserPath new_root, UserPath put_old);
SyscallResult SysUmount2(Task& task, UserPath target, int32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_MOUNT_H_
