// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/path_lookup.h"

#include <fcntl.h>

#include "sentry/vfs/path_walk.h"

namespace redoubt::syscalls {

Result<vfs::Path> StartOf(kernel::Task& task, const vfs::Caller& caller, int dirfd,
                          std::string_view path) {
  if (dirfd == AT_FDCWD || path.starts_with('/')) return caller.working_directory;
  // ENOENT for an empty path comes before anything that the descriptor may be.
  if (path.empty()) return Errno(ENOENT);
  vfs::Path start = TRY(task.StartPath(dirfd));
  if (!start.dentry->inode()->IsDirectory()) return Errno(ENOTDIR);
  return start;
}

Result<vfs::Path> LookupAt(kernel::Task& task, const vfs::Caller& caller, int dirfd,
                           std::string_view path, int flags) {
  if (path.empty() && (flags & AT_EMPTY_PATH) != 0) return task.StartPath(dirfd);
  vfs::Path start = TRY(StartOf(task, caller, dirfd, path));
  return vfs::Walk(caller, start, path, {.follow_final = (flags & AT_SYMLINK_NOFOLLOW) == 0});
}

}  // namespace redoubt::syscalls
