// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_eventfd.h"

#include <sys/eventfd.h>

#include "sentry/fs/eventfd/eventfd.h"
#include "sentry/syscalls/install_file.h"

namespace redoubt::syscalls {

SyscallResult SysEventfd(Task& task, uint32_t initial) { return SysEventfd2(task, initial, 0); }

SyscallResult SysEventfd2(Task& task, uint32_t initial, uint32_t flags) {
  FileRef file = TRY(fs::EventFd::Create(initial, flags));
  return InstallResult(task, std::move(file), (flags & EFD_CLOEXEC) != 0);
}

}  // namespace redoubt::syscalls
