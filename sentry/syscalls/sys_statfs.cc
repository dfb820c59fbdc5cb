// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_statfs.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "sentry/syscalls/path_lookup.h"

namespace redoubt::syscalls {

namespace {

constexpr uint64_t kValid = 0x20;  // ST_VALID: the flags mean something.

// flags_by_mnt().
uint64_t FlagsOf(unsigned long mount_flags) {
  struct {
    unsigned long mount;
    uint64_t shown;
  } constexpr kFlags[] = {
      {MS_RDONLY, ST_RDONLY},   {MS_NOSUID, ST_NOSUID},           {MS_NODEV, ST_NODEV},
      {MS_NOEXEC, ST_NOEXEC},   {MS_SYNCHRONOUS, ST_SYNCHRONOUS}, {MS_MANDLOCK, ST_MANDLOCK},
      {MS_NOATIME, ST_NOATIME}, {MS_NODIRATIME, ST_NODIRATIME},   {MS_RELATIME, ST_RELATIME},
  };
  uint64_t shown = kValid;
  for (const auto& flag : kFlags) {
    if ((mount_flags & flag.mount) != 0) shown |= flag.shown;
  }
  return shown;
}

SyscallResult Give(Task& task, const vfs::Path& path, UserOut<abi::Statfs> user) {
  vfs::Superblock& superblock = *path.dentry->inode()->superblock();
  vfs::FilesystemStatus from = TRY(superblock.Status());
  abi::Statfs status;
  status.magic = from.magic;
  status.block_size = status.fragment_size = from.block_size;
  status.blocks = from.blocks;
  status.blocks_free = from.blocks_free;
  status.blocks_available = from.blocks_available;
  status.files = from.files;
  status.files_free = from.files_free;
  status.id = superblock.device();
  status.name_length = from.name_length;
  status.flags = FlagsOf(path.mount->flags());
  TRY(user.Write(task, status));
  return 0UL;
}

}  // namespace

SyscallResult SysStatfs(Task& task, UserPath user_path, UserOut<abi::Statfs> status) {
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  vfs::Path place = TRY(LookupAt(task, caller, AT_FDCWD, path, 0));
  return Give(task, place, status);
}

SyscallResult SysFstatfs(Task& task, FdNumber fd, UserOut<abi::Statfs> status) {
  FileRef file = TRY(task.fd_table()->Get(fd));
  return Give(task, file->path(), status);
}

}  // namespace redoubt::syscalls
