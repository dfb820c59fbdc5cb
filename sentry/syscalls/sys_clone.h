// SPDX-License-Identifier: Apache-2.0
//
// fork(2), vfork(2), clone(2), unshare(2), set_tid_address(2): decoding; kernel/clone.h acts.
#ifndef SENTRY_SYSCALLS_SYS_CLONE_H_
#define SENTRY_SYSCALLS_SYS_CLONE_H_

#include "abi/linux/sched.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysFork(Task& task);
SyscallResult SysVfork(Task& task);
SyscallResult SysClone(Task& task, CloneFlags flags, UserAddress stack, UserAddress parent_tid,
                       UserAddress child_tid, UserAddress tls);
SyscallResult SysClone3(Task& task, UserIn<abi::CloneArguments> arguments, uint64_t size);
SyscallResult SysUnshare(Task& task, CloneFlags flags);
SyscallResult SysSetTidAddress(Task& task, UserAddress address);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_CLONE_H_
