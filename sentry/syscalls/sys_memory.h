// SPDX-License-Identifier: Apache-2.0
//
// Memory: mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2), msync(2), mincore(2),
// mlock(2), membarrier(2). mm::MemoryMap vets the ranges; the host kernel does the work in the
// stub.
#ifndef SENTRY_SYSCALLS_SYS_MEMORY_H_
#define SENTRY_SYSCALLS_SYS_MEMORY_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysMmap(Task& task, UserAddress address, uint64_t length, Protection protection,
                      MapFlags flags, FdNumber fd, uint64_t offset);
SyscallResult SysMunmap(Task& task, UserAddress address, uint64_t length);
SyscallResult SysMprotect(Task& task, UserAddress address, uint64_t length, Protection protection);
SyscallResult SysMremap(Task& task, UserAddress address, uint64_t length, uint64_t new_length,
                        uint64_t flags, UserAddress new_address);
SyscallResult SysMadvise(Task& task, UserAddress address, uint64_t length, Advice advice);
SyscallResult SysBrk(Task& task, UserAddress address);
SyscallResult SysMsync(Task& task, UserAddress address, uint64_t length, int32_t flags);
SyscallResult SysMincore(Task& task, UserAddress address, uint64_t length, UserAddress vector);
SyscallResult SysMlock(Task& task, UserAddress address, uint64_t length);
SyscallResult SysMlock2(Task& task, UserAddress address, uint64_t length, int32_t flags);
SyscallResult SysMunlock(Task& task, UserAddress address, uint64_t length);
SyscallResult SysMlockall(Task& task, int32_t flags);
SyscallResult SysMunlockall(Task& task);
SyscallResult SysMembarrier(Task& task, int32_t command, uint32_t flags, int32_t cpu);
SyscallResult SysMemfdCreate(Task& task, UserString name, uint32_t flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_MEMORY_H_
