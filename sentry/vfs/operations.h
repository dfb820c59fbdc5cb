// SPDX-License-Identifier: Apache-2.0
//
// The operations that system calls ask of the VFS, by name or on a Path: every permission check,
// sticky-bit, read-only-mount and errno-order rule of Linux's fs/namei.c and fs/open.c is here.
//
//   Path start = TRY(task.StartPath(dirfd));           // AT_FDCWD or a directory's Path.
//   RefPtr<FileDescription> file = TRY(vfs::Open(caller, start, path, {.flags = flags, .mode =
//   mode}));
#ifndef SENTRY_VFS_OPERATIONS_H_
#define SENTRY_VFS_OPERATIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/file_description.h"
#include "sentry/vfs/path.h"

namespace redoubt::vfs {

struct OpenRequest {
  uint32_t flags = 0;    // open(2).
  uint32_t mode = 0;     // Of a created file, before umask.
  uint64_t resolve = 0;  // openat2(2).
};
// open(2) with O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW, O_DIRECTORY, O_PATH, O_TMPFILE.
Result<RefPtr<FileDescription>> Open(const Caller& caller, const Path& start, std::string_view path,
                                     const OpenRequest& request);
// Opens what has been found already (exec, /proc/self/fd): no walk, permission checked by flags.
Result<RefPtr<FileDescription>> OpenPath(const Caller& caller, const Path& path, uint32_t flags);

Result<void> MakeDirectory(const Caller& caller, const Path& start, std::string_view path,
                           uint32_t mode);
// mknod(2): type in `mode`. Character and block devices need CAP_MKNOD.
Result<void> MakeNode(const Caller& caller, const Path& start, std::string_view path, uint32_t mode,
                      uint64_t device);
// The same, giving the new file's path: for bind(2) on a unix socket.
Result<Path> MakeNodeAt(const Caller& caller, const Path& start, std::string_view path,
                        uint32_t mode, uint64_t device);
Result<void> MakeSymlink(const Caller& caller, const Path& start, std::string_view path,
                         std::string_view target);
// `source` was walked already (linkat's flags decide how).
Result<void> Link(const Caller& caller, const Path& source, const Path& start,
                  std::string_view path);
Result<void> Unlink(const Caller& caller, const Path& start, std::string_view path);
Result<void> RemoveDirectory(const Caller& caller, const Path& start, std::string_view path);
// renameat2(2).
Result<void> Rename(const Caller& caller, const Path& old_start, std::string_view old_path,
                    const Path& new_start, std::string_view new_path, unsigned flags);
Result<std::string> ReadLink(const Caller& caller, const Path& path);

Result<Attributes> GetAttributes(const Path& path);
// faccessat2(2) with `caller` carrying the ids to check with; `may` as R_OK|W_OK|X_OK.
Result<void> Access(const Caller& caller, const Path& path, uint32_t may);
Result<void> ChangeMode(const Caller& caller, const Path& path, uint32_t mode);
// -1 (as uint32_t) leaves an id. Clears set-id bits as chown(2) says.
Result<void> ChangeOwner(const Caller& caller, const Path& path, uint32_t uid, uint32_t gid);
struct TimeChange {
  enum class Kind : uint8_t { kOmit, kNow, kSet };
  Kind kind = Kind::kNow;
  FileTime time;
};
Result<void> ChangeTimes(const Caller& caller, const Path& path, const TimeChange& access,
                         const TimeChange& modify);
// truncate(2): checks write permission.
Result<void> Truncate(const Caller& caller, const Path& path, uint64_t size);

// xattr(7), with the namespace rules (user., trusted., security., system.).
Result<std::string> GetXattr(const Caller& caller, const Path& path, std::string_view name);
Result<void> SetXattr(const Caller& caller, const Path& path, std::string_view name,
                      std::string_view value, int flags);
Result<void> RemoveXattr(const Caller& caller, const Path& path, std::string_view name);
Result<std::vector<std::string>> ListXattrs(const Caller& caller, const Path& path);

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_OPERATIONS_H_
