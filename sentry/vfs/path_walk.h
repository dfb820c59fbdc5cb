// SPDX-License-Identifier: Apache-2.0
//
// Path walk: from a start and a string to a Path (path_resolution(7)). Symlinks (at most 40), "..",
// mount crossings, search permission on every directory, RESOLVE_* of openat2(2).
#ifndef SENTRY_VFS_PATH_WALK_H_
#define SENTRY_VFS_PATH_WALK_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/path.h"

namespace redoubt::vfs {

struct WalkOptions {
  bool follow_final = true;  // Follow a symlink that is the last component.
  bool must_be_directory = false;
  uint64_t resolve = 0;  // RESOLVE_* of <linux/openat2.h>.
};

// Walks `path` from `start` (an absolute path from caller.root). An empty path is ENOENT.
// ENAMETOOLONG for a component over 255 bytes or a path over 4095.
Result<Path> Walk(const Caller& caller, const Path& start, std::string_view path,
                  const WalkOptions& options);

// All but the last component, which is returned as written (never empty; "." and ".." possible,
// with `is_dots`). A final symlink is not followed.
struct ParentWalk {
  Path parent;
  std::string name;
  bool is_dots = false;
  bool trailing_slash = false;
  // "/" itself, or a path that ends at the root: parent is that place and `name` is ".".
};
Result<ParentWalk> WalkToParent(const Caller& caller, const Path& start, std::string_view path,
                                uint64_t resolve = 0);

// The child `name` of directory `parent` with mounts on it followed; ENOENT when it is not there.
// Checks search permission.
Result<Path> LookupChild(const Caller& caller, const Path& parent, std::string_view name);

// The absolute path of `path` as seen from caller.root: getcwd(2) and /proc. " (deleted)" is
// appended to a removed one; "(unreachable)" is put before one outside the root.
std::string PathText(const Caller& caller, const Path& path);

// generic_permission(): may is a mask of MAY_READ 4, MAY_WRITE 2, MAY_EXEC 1 (as access(2)).
// EACCES, or EROFS for writing on a read-only mount (regular files, directories, symlinks).
Result<void> CheckPermission(const Caller& caller, const Path& path, uint32_t may);

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_PATH_WALK_H_
