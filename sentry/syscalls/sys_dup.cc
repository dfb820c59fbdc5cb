// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_dup.h"

#include <fcntl.h>
#include <linux/close_range.h>

#include "sentry/syscalls/install_file.h"

namespace redoubt::syscalls {

namespace {

SyscallResult DuplicateTo(Task& task, FileRef file, int new_fd, bool close_on_exec) {
  return static_cast<uint64_t>(TRY(task.fd_table()->InstallAt(
      std::move(file), new_fd, close_on_exec, task.FdLimit(), task.tgid())));
}

// CLOSE_RANGE_UNSHARE: what is closed stays open for tasks that shared the table.
void UnshareTable(Task& task) {
  RefPtr<kernel::FdTable> shared = task.fd_table();
  if (!shared->IsShared()) return;
  task.SetFdTable(shared->Fork());
  shared->DropUser(task.tgid());
}

}  // namespace

SyscallResult SysDup(Task& task, FdNumber fd) {
  FileRef file = TRY(task.fd_table()->Get(fd));
  return InstallResult(task, std::move(file), false);
}

SyscallResult SysDup2(Task& task, FdNumber old_fd, FdNumber new_fd) {
  FileRef file = TRY(task.fd_table()->Get(old_fd));
  if (old_fd == new_fd) return static_cast<uint64_t>(new_fd.value);
  return DuplicateTo(task, std::move(file), new_fd, false);
}

SyscallResult SysDup3(Task& task, FdNumber old_fd, FdNumber new_fd, OpenFlags flags) {
  if ((flags & ~uint32_t{O_CLOEXEC}) != 0 || old_fd == new_fd) return Errno(EINVAL);
  if (new_fd < 0 || static_cast<uint64_t>(new_fd) >= task.FdLimit()) return Errno(EBADF);
  FileRef file = TRY(task.fd_table()->Get(old_fd));
  return DuplicateTo(task, std::move(file), new_fd, (flags & O_CLOEXEC) != 0);
}

SyscallResult SysClose(Task& task, FdNumber fd) {
  TRY(task.fd_table()->Close(fd, task.tgid()));
  return 0UL;
}

SyscallResult SysCloseRange(Task& task, uint32_t first, uint32_t last, uint32_t flags) {
  if ((flags & ~uint32_t{CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC}) != 0) return Errno(EINVAL);
  if (first > last) return Errno(EINVAL);
  if ((flags & CLOSE_RANGE_UNSHARE) != 0) UnshareTable(task);
  if ((flags & CLOSE_RANGE_CLOEXEC) != 0) {
    task.fd_table()->SetCloseOnExecRange(first, last);
  } else {
    task.fd_table()->CloseRange(first, last, task.tgid());
  }
  return 0UL;
}

}  // namespace redoubt::syscalls
