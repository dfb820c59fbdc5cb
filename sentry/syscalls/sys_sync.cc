// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_sync.h"

#include <fcntl.h>
#include <linux/falloc.h>

#include "absl/container/flat_hash_set.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/transfer.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/notify.h"

namespace redoubt::syscalls {

namespace {

// Files that Linux cannot sync: pipes, sockets, eventfds and the like.
bool CanSync(const vfs::FileDescription& file) {
  uint32_t type = file.inode()->type();
  return type == S_IFREG || type == S_IFDIR || type == S_IFBLK;
}

SyscallResult SyncFile(Task& task, int fd, bool data_only) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (!CanSync(*file)) return Errno(EINVAL);
  TRY(file->Sync(data_only));
  return 0UL;
}

// vfs_fallocate()'s checks of the mode.
Result<void> CheckAllocateMode(int32_t mode) {
  constexpr int32_t kKnown = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE |
                             FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE |
                             FALLOC_FL_UNSHARE_RANGE;
  if ((mode & ~kKnown) != 0) return Errno(EOPNOTSUPP);
  bool punch = (mode & FALLOC_FL_PUNCH_HOLE) != 0;
  if (punch && (mode & FALLOC_FL_ZERO_RANGE) != 0) return Errno(EOPNOTSUPP);
  if (punch && (mode & FALLOC_FL_KEEP_SIZE) == 0) return Errno(EOPNOTSUPP);
  bool collapse = (mode & FALLOC_FL_COLLAPSE_RANGE) != 0;
  if (collapse && mode != FALLOC_FL_COLLAPSE_RANGE) return Errno(EINVAL);
  bool insert = (mode & FALLOC_FL_INSERT_RANGE) != 0;
  if (insert && mode != FALLOC_FL_INSERT_RANGE) return Errno(EINVAL);
  return {};
}

Result<void> CheckAllocateFile(const vfs::FileDescription& file) {
  if (!file.writable()) return Errno(EBADF);
  switch (file.inode()->type()) {
    case S_IFREG:
      return {};
    case S_IFIFO:
      return Errno(ESPIPE);
    case S_IFDIR:
      return Errno(EISDIR);
    default:
      return Errno(ENODEV);
  }
}

}  // namespace

SyscallResult SysSync(Task& task) {
  absl::flat_hash_set<const vfs::Superblock*> done;
  for (const vfs::MountNamespace::Entry& entry : task.fs()->mounts()->List()) {
    vfs::Superblock& superblock = *entry.mount->superblock();
    // sync(2) has no errors.
    if (done.insert(&superblock).second) (void)superblock.Sync();
  }
  return 0UL;
}

SyscallResult SysSyncfs(Task& task, FdNumber fd) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  TRY(file->inode()->superblock()->Sync());
  return 0UL;
}

SyscallResult SysFsync(Task& task, FdNumber fd) { return SyncFile(task, fd, false); }

SyscallResult SysFdatasync(Task& task, FdNumber fd) { return SyncFile(task, fd, true); }

SyscallResult SysSyncFileRange(Task& task, FdNumber fd, int64_t offset, int64_t length,
                               uint32_t flags) {
  constexpr uint32_t kKnown =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  int64_t end;
  if ((flags & ~kKnown) != 0 || offset < 0 || length < 0 ||
      __builtin_add_overflow(offset, length, &end)) {
    return Errno(EINVAL);
  }
  if (!CanSync(*file)) return Errno(ESPIPE);
  if (flags != 0) TRY(file->Sync(true));  // More than asked for.
  return 0UL;
}

SyscallResult SysFallocate(Task& task, FdNumber fd, int32_t mode, int64_t offset, int64_t length) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (offset < 0 || length <= 0) return Errno(EINVAL);
  TRY(CheckAllocateMode(mode));
  TRY(CheckAllocateFile(*file));
  int64_t end;
  if (__builtin_add_overflow(offset, length, &end)) return Errno(EFBIG);
  vfs::Caller caller = task.MakeCaller();
  if ((mode & FALLOC_FL_KEEP_SIZE) == 0 && static_cast<uint64_t>(end) > caller.file_size_limit) {
    SignalSelf(task, SIGXFSZ);
    return Errno(EFBIG);
  }
  TRY(file->Allocate(mode, static_cast<uint64_t>(offset), static_cast<uint64_t>(length)));
  vfs::NotifyFile(*file, IN_MODIFY);
  return 0UL;
}

// The host's page cache decides itself what to keep.
SyscallResult SysFadvise64(Task& task, FdNumber fd, int64_t, int64_t length, int32_t advice) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (file->inode()->type() == S_IFIFO) return Errno(ESPIPE);
  if (length < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE) {
    return Errno(EINVAL);
  }
  return 0UL;
}

SyscallResult SysReadahead(Task& task, FdNumber fd, int64_t, uint64_t) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (!file->readable()) return Errno(EBADF);
  if (!file->inode()->IsRegular()) return Errno(EINVAL);
  return 0UL;
}

}  // namespace redoubt::syscalls
