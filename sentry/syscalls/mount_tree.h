// SPDX-License-Identifier: Apache-2.0
//
// What mount(2) and the calls with descriptors (fsmount(2), open_tree(2), move_mount(2)) share: new
// file systems, copies of mounted trees, and files that stand for trees mounted nowhere yet.
//
//   RefPtr<vfs::Mount> mount = TRY(NewFilesystem(task, {.type = "tmpfs", .data = "size=1m"}));
//   RefPtr<vfs::MountNamespace> copy = TRY(CopyTree(task, source, /*recursive=*/true));
//   return InstallResult(task, OpenDetached(std::move(copy)), close_on_exec);
#ifndef SENTRY_SYSCALLS_MOUNT_TREE_H_
#define SENTRY_SYSCALLS_MOUNT_TREE_H_

#include <sys/mount.h>

#include <string>

#include "sentry/kernel/task.h"
#include "sentry/vfs/file_description.h"
#include "sentry/vfs/mount.h"

namespace redoubt::syscalls {

// The flags that belong to a mount, not to its file system. (libc has no MS_NOSYMFOLLOW.)
inline constexpr unsigned long kNoSymlinkFollow = 256;
inline constexpr unsigned long kPerMount = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC |
                                           MS_NOATIME | MS_NODIRATIME | MS_RELATIME |
                                           MS_SYNCHRONOUS | kNoSymlinkFollow;

bool IsMountRoot(const vfs::Path& path);

struct FilesystemRequest {
  std::string type;
  std::string source;
  std::string data;  // mount(2)'s, with commas.
  unsigned long flags = 0;
};

// Whether NewFilesystem() knows it.
bool IsFilesystemType(std::string_view type);
// Mounted nowhere. ENODEV for an unknown type, EINVAL for options that it does not know.
Result<RefPtr<vfs::Mount>> NewFilesystem(kernel::Task& task, const FilesystemRequest& request);

// A copy of what is mounted at `source` from there down, in a namespace of its own: with all that
// is mounted below when `recursive`. EINVAL unless `source` is in the task's namespace.
Result<RefPtr<vfs::MountNamespace>> CopyTree(kernel::Task& task, const vfs::Path& source,
                                             bool recursive);

// An O_PATH file at the root of a tree that is mounted nowhere: until move_mount(2) takes it away,
// the tree lives as long as the file.
kernel::FileRef OpenDetached(RefPtr<vfs::MountNamespace> tree);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_MOUNT_TREE_H_
