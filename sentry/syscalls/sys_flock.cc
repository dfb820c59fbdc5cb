// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_flock.h"

#include <sys/file.h>

#include "sentry/syscalls/blocking.h"
#include "sentry/vfs/lock_table.h"

namespace redoubt::syscalls {

SyscallResult SysFlock(Task& task, FdNumber fd, int32_t operation) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  vfs::LockTable& locks = file->inode()->locks();
  int kind = operation & ~LOCK_NB;
  if (kind == LOCK_UN) {
    locks.ClearFlock(*file);
    return 0UL;
  }
  if (kind != LOCK_SH && kind != LOCK_EX) return Errno(EINVAL);
  auto set = [&] { return locks.SetFlock(*file, kind == LOCK_EX); };
  if ((operation & LOCK_NB) != 0) {
    TRY(set());
  } else {
    TRY(BlockOn(task, locks.wait_queue(), EPOLLOUT, kNoDeadline, set));
  }
  return 0UL;
}

}  // namespace redoubt::syscalls
