// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_stat.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include "sentry/syscalls/path_lookup.h"
#include "sentry/vfs/operations.h"

namespace redoubt::syscalls {

namespace {

constexpr int kKnownFlags =
    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;

abi::Timespec ToTimespec(const vfs::FileTime& time) { return {time.seconds, time.nanoseconds}; }

abi::Stat ToStat(const vfs::Attributes& from) {
  abi::Stat stat;
  stat.device = from.device;
  stat.inode_number = from.inode_number;
  stat.links = from.links;
  stat.mode = from.mode;
  stat.uid = from.uid;
  stat.gid = from.gid;
  stat.special_device = from.special_device;
  stat.size = static_cast<int64_t>(from.size);
  stat.block_size = from.block_size;
  stat.blocks = static_cast<int64_t>(from.blocks);
  stat.access_time = ToTimespec(from.access_time);
  stat.modify_time = ToTimespec(from.modify_time);
  stat.change_time = ToTimespec(from.change_time);
  return stat;
}

abi::StatxTime ToStatxTime(const vfs::FileTime& time) {
  return {.seconds = time.seconds, .nanoseconds = time.nanoseconds};
}

// What was found, and where.
struct Found {
  vfs::Path path;
  vfs::Attributes attributes;
};

abi::Statx ToStatx(const Found& found, uint32_t mask) {
  constexpr uint32_t kMountId = 0x1000;    // STATX_MNT_ID
  constexpr uint64_t kMountRoot = 0x2000;  // STATX_ATTR_MOUNT_ROOT
  const vfs::Attributes& from = found.attributes;
  abi::Statx stat;
  stat.mask = STATX_BASIC_STATS;
  stat.block_size = from.block_size;
  stat.attributes_mask = kMountRoot;
  if (found.path.dentry == found.path.mount->root()) stat.attributes = kMountRoot;
  stat.links = from.links;
  stat.uid = from.uid;
  stat.gid = from.gid;
  stat.mode = static_cast<uint16_t>(from.mode);
  stat.inode_number = from.inode_number;
  stat.size = from.size;
  stat.blocks = from.blocks;
  stat.access_time = ToStatxTime(from.access_time);
  stat.change_time = ToStatxTime(from.change_time);
  stat.modify_time = ToStatxTime(from.modify_time);
  // Not every file system knows it.
  if ((mask & STATX_BTIME) != 0 && from.birth_time != vfs::FileTime{}) {
    stat.mask |= STATX_BTIME;
    stat.birth_time = ToStatxTime(from.birth_time);
  }
  stat.special_device_major = gnu_dev_major(from.special_device);
  stat.special_device_minor = gnu_dev_minor(from.special_device);
  stat.device_major = gnu_dev_major(from.device);
  stat.device_minor = gnu_dev_minor(from.device);
  stat.mask |= kMountId;
  stat.mount_id = static_cast<uint64_t>(found.path.mount->id());
  return stat;
}

Result<Found> FindDescriptor(Task& task, int fd) {
  FileRef file = TRY(task.fd_table()->Get(fd));
  vfs::Attributes attributes = TRY(file->GetAttributes());
  return Found{file->path(), attributes};
}

Result<Found> Find(Task& task, int dirfd, UserPath user_path, int flags) {
  // libc's fstat: an empty path, and no walk.
  std::string path = TRY(user_path.Read(task));
  if (path.empty() && (flags & AT_EMPTY_PATH) != 0 && dirfd != AT_FDCWD) {
    return FindDescriptor(task, dirfd);
  }
  vfs::Caller caller = task.MakeCaller();
  Found found;
  found.path = TRY(LookupAt(task, caller, dirfd, path, flags));
  found.attributes = TRY(vfs::GetAttributes(found.path));
  return found;
}

SyscallResult StatAt(Task& task, int dirfd, UserPath path, UserOut<abi::Stat> stat, int flags) {
  Found found = TRY(Find(task, dirfd, path, flags));
  TRY(stat.Write(task, ToStat(found.attributes)));
  return 0UL;
}

}  // namespace

SyscallResult SysStat(Task& task, UserPath path, UserOut<abi::Stat> stat) {
  return StatAt(task, AT_FDCWD, path, stat, 0);
}

SyscallResult SysLstat(Task& task, UserPath path, UserOut<abi::Stat> stat) {
  return StatAt(task, AT_FDCWD, path, stat, AT_SYMLINK_NOFOLLOW);
}

SyscallResult SysFstat(Task& task, FdNumber fd, UserOut<abi::Stat> stat) {
  FileRef file = TRY(task.fd_table()->Get(fd));
  vfs::Attributes attributes = TRY(file->GetAttributes());
  TRY(stat.Write(task, ToStat(attributes)));
  return 0UL;
}

SyscallResult SysNewfstatat(Task& task, DirFd dirfd, UserPath path, UserOut<abi::Stat> stat,
                            int32_t flags) {
  if ((flags & ~kKnownFlags) != 0) return Errno(EINVAL);
  return StatAt(task, dirfd, path, stat, flags);
}

SyscallResult SysStatx(Task& task, DirFd dirfd, UserPath path, uint32_t flags, uint32_t mask,
                       UserOut<abi::Statx> stat) {
  constexpr uint32_t kReserved = 0x80000000;  // STATX__RESERVED
  if ((mask & kReserved) != 0) return Errno(EINVAL);
  if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE) return Errno(EINVAL);
  if ((flags & ~uint32_t{kKnownFlags}) != 0) return Errno(EINVAL);
  Found found = TRY(Find(task, dirfd, path, static_cast<int>(flags)));
  TRY(stat.Write(task, ToStatx(found, mask)));
  return 0UL;
}

}  // namespace redoubt::syscalls
