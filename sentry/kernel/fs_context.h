// SPDX-License-Identifier: Apache-2.0
//
// FsContext: root, working directory and umask; shared by CLONE_FS tasks (Linux's fs_struct). The
// mount namespace is here too: tasks that share a root are always in the same one.
#ifndef SENTRY_KERNEL_FS_CONTEXT_H_
#define SENTRY_KERNEL_FS_CONTEXT_H_

#include "base/ref_counted.h"
#include "base/sync/mutex.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/path.h"

namespace redoubt::kernel {

class FsContext : public RefCounted<FsContext> {
 public:
  FsContext(RefPtr<vfs::MountNamespace> mounts, vfs::Path root, vfs::Path working_directory,
            uint32_t umask);
  RefPtr<FsContext> Fork() const;

  RefPtr<vfs::MountNamespace> mounts() const;
  vfs::Path root() const;
  vfs::Path working_directory() const;
  uint32_t umask() const;
  // Fills in all three.
  void Describe(vfs::Caller& caller) const;
  void SetRoot(vfs::Path root);
  void SetWorkingDirectory(vfs::Path directory);
  // unshare(CLONE_NEWNS): a copy of the mounts, with root and working directory in it.
  void UnshareMounts();
  // setns(2).
  void EnterMounts(RefPtr<vfs::MountNamespace> mounts);
  // pivot_root(2): whoever has `from` as root or working directory has `to` now.
  void ReplacePlace(const vfs::Path& from, const vfs::Path& to);
  // Gives the old one.
  uint32_t SetUmask(uint32_t umask);

 private:
  mutable Mutex<LockRank::kLeaf> mu_;
  RefPtr<vfs::MountNamespace> mounts_ ABSL_GUARDED_BY(mu_);
  vfs::Path root_ ABSL_GUARDED_BY(mu_);
  vfs::Path working_directory_ ABSL_GUARDED_BY(mu_);
  uint32_t umask_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_FS_CONTEXT_H_
