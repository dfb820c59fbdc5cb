// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_dir.h"

#include <fcntl.h>

#include <algorithm>

#include "sentry/kernel/fs_context.h"
#include "sentry/syscalls/path_lookup.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"
#include "sentry/vfs/permission.h"

namespace redoubt::syscalls {

namespace {

// A name that a call works on, with its start found and the path copied.
struct NameArgument {
  vfs::Path start;
  std::string path;
};

Result<NameArgument> ReadName(Task& task, const vfs::Caller& caller, int dirfd,
                              UserPath user_path) {
  NameArgument name;
  name.path = TRY(user_path.Read(task));
  name.start = TRY(StartOf(task, caller, dirfd, name.path));
  return name;
}

SyscallResult MakeDirectoryAt(Task& task, int dirfd, UserPath path, uint32_t mode) {
  vfs::Caller caller = task.MakeCaller();
  NameArgument name = TRY(ReadName(task, caller, dirfd, path));
  TRY(vfs::MakeDirectory(caller, name.start, name.path, mode & 01777));
  return 0UL;
}

SyscallResult MakeNodeAt(Task& task, int dirfd, UserPath path, uint32_t mode, uint32_t device) {
  vfs::Caller caller = task.MakeCaller();
  NameArgument name = TRY(ReadName(task, caller, dirfd, path));
  TRY(vfs::MakeNode(caller, name.start, name.path, mode, device));
  return 0UL;
}

SyscallResult RemoveAt(Task& task, int dirfd, UserPath path, bool directory) {
  vfs::Caller caller = task.MakeCaller();
  NameArgument name = TRY(ReadName(task, caller, dirfd, path));
  if (directory) {
    TRY(vfs::RemoveDirectory(caller, name.start, name.path));
  } else {
    TRY(vfs::Unlink(caller, name.start, name.path));
  }
  return 0UL;
}

SyscallResult RenameAt(Task& task, int old_dirfd, UserPath old_path, int new_dirfd,
                       UserPath new_path, uint32_t flags) {
  vfs::Caller caller = task.MakeCaller();
  NameArgument from = TRY(ReadName(task, caller, old_dirfd, old_path));
  NameArgument to = TRY(ReadName(task, caller, new_dirfd, new_path));
  TRY(vfs::Rename(caller, from.start, from.path, to.start, to.path, flags));
  return 0UL;
}

SyscallResult LinkAt(Task& task, int old_dirfd, UserPath user_old_path, int new_dirfd,
                     UserPath new_path, int flags) {
  std::string old_path = TRY(user_old_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  int walk = flags & AT_EMPTY_PATH;
  // Naming a descriptor's file takes a capability, or any directory's secrets would leak.
  if (old_path.empty() && walk != 0 && !caller.HasCapability(CAP_DAC_READ_SEARCH)) {
    return Errno(ENOENT);
  }
  if ((flags & AT_SYMLINK_FOLLOW) == 0) walk |= AT_SYMLINK_NOFOLLOW;
  vfs::Path source = TRY(LookupAt(task, caller, old_dirfd, old_path, walk));
  NameArgument to = TRY(ReadName(task, caller, new_dirfd, new_path));
  TRY(vfs::Link(caller, source, to.start, to.path));
  return 0UL;
}

SyscallResult SymlinkAt(Task& task, UserPath user_target, int dirfd, UserPath path) {
  std::string target = TRY(user_target.Read(task));
  if (target.empty()) return Errno(ENOENT);
  vfs::Caller caller = task.MakeCaller();
  NameArgument name = TRY(ReadName(task, caller, dirfd, path));
  TRY(vfs::MakeSymlink(caller, name.start, name.path, target));
  return 0UL;
}

SyscallResult ReadLinkAt(Task& task, int dirfd, UserPath user_path, UserBytesOut buffer,
                         int32_t size) {
  if (size <= 0) return Errno(EINVAL);
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  // An empty path means a link that was opened with O_PATH | O_NOFOLLOW.
  bool empty = path.empty() && dirfd != AT_FDCWD;
  vfs::Path link =
      TRY(LookupAt(task, caller, dirfd, path, AT_SYMLINK_NOFOLLOW | (empty ? AT_EMPTY_PATH : 0)));
  if (empty && !link.dentry->inode()->IsSymlink()) return Errno(ENOENT);
  std::string text = TRY(vfs::ReadLink(caller, link));
  size_t length = std::min(text.size(), static_cast<size_t>(size));
  TRY(task.CopyOut(buffer.address(), std::as_bytes(std::span(text)).first(length)));
  return length;
}

Result<void> ChangeDirectory(Task& task, const vfs::Caller& caller, vfs::Path place) {
  TRY(vfs::CheckPermission(caller, place, vfs::kMayExec));
  task.fs()->SetWorkingDirectory(std::move(place));
  return {};
}

bool IsRemoved(const vfs::Dentry& dentry) {
  ReaderMutexLock lock(&dentry.superblock()->tree_mu_);
  return dentry.deletedLocked();
}

}  // namespace

SyscallResult SysMkdir(Task& task, UserPath path, FileMode mode) {
  return MakeDirectoryAt(task, AT_FDCWD, path, mode);
}

SyscallResult SysMkdirat(Task& task, DirFd dirfd, UserPath path, FileMode mode) {
  return MakeDirectoryAt(task, dirfd, path, mode);
}

SyscallResult SysMknod(Task& task, UserPath path, FileMode mode, uint32_t device) {
  return MakeNodeAt(task, AT_FDCWD, path, mode, device);
}

SyscallResult SysMknodat(Task& task, DirFd dirfd, UserPath path, FileMode mode, uint32_t device) {
  return MakeNodeAt(task, dirfd, path, mode, device);
}

SyscallResult SysRmdir(Task& task, UserPath path) { return RemoveAt(task, AT_FDCWD, path, true); }

SyscallResult SysUnlink(Task& task, UserPath path) { return RemoveAt(task, AT_FDCWD, path, false); }

SyscallResult SysUnlinkat(Task& task, DirFd dirfd, UserPath path, int32_t flags) {
  if ((flags & ~AT_REMOVEDIR) != 0) return Errno(EINVAL);
  return RemoveAt(task, dirfd, path, (flags & AT_REMOVEDIR) != 0);
}

SyscallResult SysRename(Task& task, UserPath old_path, UserPath new_path) {
  return RenameAt(task, AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

SyscallResult SysRenameat(Task& task, DirFd old_dirfd, UserPath old_path, DirFd new_dirfd,
                          UserPath new_path) {
  return RenameAt(task, old_dirfd, old_path, new_dirfd, new_path, 0);
}

SyscallResult SysRenameat2(Task& task, DirFd old_dirfd, UserPath old_path, DirFd new_dirfd,
                           UserPath new_path, uint32_t flags) {
  if ((flags & ~uint32_t{RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT}) != 0) {
    return Errno(EINVAL);
  }
  if ((flags & RENAME_EXCHANGE) != 0 && flags != RENAME_EXCHANGE) return Errno(EINVAL);
  return RenameAt(task, old_dirfd, old_path, new_dirfd, new_path, flags);
}

SyscallResult SysLink(Task& task, UserPath old_path, UserPath new_path) {
  return LinkAt(task, AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

SyscallResult SysLinkat(Task& task, DirFd old_dirfd, UserPath old_path, DirFd new_dirfd,
                        UserPath new_path, int32_t flags) {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) return Errno(EINVAL);
  return LinkAt(task, old_dirfd, old_path, new_dirfd, new_path, flags);
}

SyscallResult SysSymlink(Task& task, UserPath target, UserPath path) {
  return SymlinkAt(task, target, AT_FDCWD, path);
}

SyscallResult SysSymlinkat(Task& task, UserPath target, DirFd dirfd, UserPath path) {
  return SymlinkAt(task, target, dirfd, path);
}

SyscallResult SysReadlink(Task& task, UserPath path, UserBytesOut buffer, int32_t size) {
  return ReadLinkAt(task, AT_FDCWD, path, buffer, size);
}

SyscallResult SysReadlinkat(Task& task, DirFd dirfd, UserPath path, UserBytesOut buffer,
                            int32_t size) {
  return ReadLinkAt(task, dirfd, path, buffer, size);
}

SyscallResult SysChdir(Task& task, UserPath user_path) {
  std::string path = TRY(user_path.Read(task));
  vfs::Caller caller = task.MakeCaller();
  vfs::Path place =
      TRY(vfs::Walk(caller, caller.working_directory, path, {.must_be_directory = true}));
  TRY(ChangeDirectory(task, caller, std::move(place)));
  return 0UL;
}

SyscallResult SysFchdir(Task& task, FdNumber fd) {
  FileRef file = TRY(task.fd_table()->Get(fd));
  if (!file->inode()->IsDirectory()) return Errno(ENOTDIR);
  TRY(ChangeDirectory(task, task.MakeCaller(), file->path()));
  return 0UL;
}

SyscallResult SysGetcwd(Task& task, UserBytesOut buffer, uint64_t size) {
  vfs::Caller caller = task.MakeCaller();
  if (IsRemoved(*caller.working_directory.dentry)) return Errno(ENOENT);
  std::string text = vfs::PathText(caller, caller.working_directory);
  size_t length = text.size() + 1;
  if (size < length) return Errno(ERANGE);
  TRY(task.CopyOut(buffer.address(), std::as_bytes(std::span(text.c_str(), length))));
  return length;
}

}  // namespace redoubt::syscalls
