// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_memory.h"

#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <bit>

#include "sentry/kernel/thread_group.h"
#include "sentry/mm/memory_map.h"

namespace redoubt::syscalls {

namespace {

bool IsPageAligned(uint64_t address) { return mm::PageDown(address) == address; }

}  // namespace

SyscallResult SysMmap(Task& task, UserAddress address, uint64_t length, Protection protection,
                      MapFlags flags, FdNumber fd, uint64_t offset) {
  if (!IsPageAligned(offset)) return Errno(EINVAL);
  mm::MapRequest request;
  request.address = address.address();
  request.length = length;
  request.protection = static_cast<int>(protection.value);
  request.flags = static_cast<int>(flags.value);
  request.offset = offset;
  if ((flags & MAP_ANONYMOUS) == 0) request.file = TRY(task.fd_table()->GetForIo(fd));
  return task.memory()->Map(task.context(), request);
}

SyscallResult SysMunmap(Task& task, UserAddress address, uint64_t length) {
  return task.memory()->Unmap(task.context(), address.address(), length);
}

SyscallResult SysMprotect(Task& task, UserAddress address, uint64_t length, Protection protection) {
  // What does not fit an int has bits that no protection has.
  if (protection > 0x7fffffff) return Errno(EINVAL);
  return task.memory()->Protect(task.context(), address.address(), length,
                                static_cast<int>(protection.value));
}

SyscallResult SysMremap(Task& task, UserAddress address, uint64_t length, uint64_t new_length,
                        uint64_t flags, UserAddress new_address) {
  if ((flags & ~uint64_t{MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP}) != 0) {
    return Errno(EINVAL);
  }
  return task.memory()->Remap(task.context(), address.address(), length, new_length,
                              static_cast<int>(flags), new_address.address());
}

SyscallResult SysMadvise(Task& task, UserAddress address, uint64_t length, Advice advice) {
  return task.memory()->Advise(task.context(), address.address(), length, advice);
}

SyscallResult SysBrk(Task& task, UserAddress address) {
  uint64_t limit = task.group()->limit(RLIMIT_DATA).current;
  return task.memory()->SetBreak(task.context(), address.address(), limit);
}

SyscallResult SysMsync(Task& task, UserAddress address, uint64_t length, int32_t flags) {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0) return Errno(EINVAL);
  if (!IsPageAligned(address.address())) return Errno(EINVAL);
  if ((flags & MS_ASYNC) != 0 && (flags & MS_SYNC) != 0) return Errno(EINVAL);
  return task.memory()->RunVetted(task.context(), SYS_msync, address.address(), length,
                                  static_cast<uint64_t>(flags));
}

SyscallResult SysMincore(Task& task, UserAddress address, uint64_t length, UserAddress vector) {
  if (!IsPageAligned(address.address())) return Errno(EINVAL);
  uint64_t pages = (length + mm::kPageSize - 1) / mm::kPageSize;
  // The host writes the answer into the stub by itself: never into the shim.
  uint64_t end = vector.address() + pages;
  if (end < vector.address()) return Errno(EFAULT);
  if (!task.memory()->policy().Allows(vector.address(), end)) return Errno(EFAULT);
  return task.memory()->RunVetted(task.context(), SYS_mincore, address.address(), length,
                                  vector.address());
}

SyscallResult SysMlock(Task& task, UserAddress address, uint64_t length) {
  return SysMlock2(task, address, length, 0);
}

SyscallResult SysMlock2(Task& task, UserAddress address, uint64_t length, int32_t flags) {
  if ((flags & ~static_cast<int>(MLOCK_ONFAULT)) != 0) return Errno(EINVAL);
  return task.memory()->RunVetted(task.context(), SYS_mlock2, address.address(), length,
                                  static_cast<uint64_t>(flags));
}

SyscallResult SysMunlock(Task& task, UserAddress address, uint64_t length) {
  return task.memory()->RunVetted(task.context(), SYS_munlock, address.address(), length, 0);
}

// All of the stub, shim included, which is small. What may be locked is the host's decision.
SyscallResult SysMlockall(Task& task, int32_t flags) {
  constexpr int kKnown = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
  if (flags == 0 || (flags & ~kKnown) != 0 || flags == MCL_ONFAULT) return Errno(EINVAL);
  return task.context().HostCall(
      {.number = SYS_mlockall, .arguments = {static_cast<uint64_t>(flags)}});
}

SyscallResult SysMunlockall(Task& task) {
  return task.context().HostCall({.number = SYS_munlockall});
}

// Barriers among the threads of one process are run in its stub. Those across processes would
// interrupt other sandboxes' CPUs: they are not offered.
SyscallResult SysMembarrier(Task& task, int32_t command, uint32_t flags, int32_t cpu) {
  constexpr int kOffered = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED |
                           MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |
                           MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |
                           MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE;
  if (flags != 0) return Errno(EINVAL);
  if (command != MEMBARRIER_CMD_QUERY && std::popcount(static_cast<uint32_t>(command)) != 1) {
    return Errno(EINVAL);
  }
  if ((command & ~kOffered) != 0) return Errno(EINVAL);
  uint64_t result = TRY(task.context().HostCall(
      {.number = SYS_membarrier, .arguments = {static_cast<uint64_t>(command), 0, 0}}));
  return command == MEMBARRIER_CMD_QUERY ? result & kOffered : result;
}

}  // namespace redoubt::syscalls
