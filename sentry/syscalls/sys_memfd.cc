// SPDX-License-Identifier: Apache-2.0
//
// memfd_create(2): decoding; fs/tmpfs makes the file.
#include <linux/memfd.h>

#include "sentry/fs/tmpfs/memfd.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/sys_memory.h"

namespace redoubt::syscalls {

namespace {
constexpr size_t kNameLimit = 249;  // NAME_MAX without "memfd:".
constexpr uint32_t kKnownFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB;
}  // namespace

SyscallResult SysMemfdCreate(Task& task, UserString user_name, uint32_t flags) {
  if ((flags & ~kKnownFlags) != 0) return Errno(EINVAL);
  std::string name = TRY(user_name.Read(task, kNameLimit, EINVAL));
  FileRef file = TRY(tmpfs::CreateMemfd(name, flags, task.MakeCaller()));
  return InstallResult(task, std::move(file), (flags & MFD_CLOEXEC) != 0);
}

}  // namespace redoubt::syscalls
