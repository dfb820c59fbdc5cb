// SPDX-License-Identifier: Apache-2.0
//
// overlay: a writable layer over read-only ones (Linux's Documentation/filesystems/overlayfs.rst).
// It works on its layers' Inodes, not on dentries, and keeps its state in the upper layer as Linux
// does: a removed name is a whiteout (character device 0/0), a directory that hides what lies below
// has trusted.overlay.opaque=y.
//
//   RefPtr<vfs::Inode> root = TRY(overlay::NewRoot({.upper = tmpfs::NewRoot(options),
//                                                   .lowers = {gofer_root}}));
//
// Differences from Linux's default mount options: hard links of lower files stay together when one
// is copied up (as with index=on), and inode numbers survive copy-up (as with xino=on). Renaming a
// directory that exists in a lower layer is EXDEV (redirect_dir=off); mv(1) copies then.
#ifndef SENTRY_FS_OVERLAY_OVERLAY_H_
#define SENTRY_FS_OVERLAY_OVERLAY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/mount.h"

namespace redoubt::overlay {

class OverlayInode;

struct Layers {
  RefPtr<vfs::Inode> upper;                // A directory; null makes the overlay read-only.
  std::vector<RefPtr<vfs::Inode>> lowers;  // Topmost first; at least one.
};

class OverlaySuperblock : public vfs::Superblock {
 public:
  explicit OverlaySuperblock(Layers layers);

  Result<vfs::FilesystemStatus> Status() override;
  std::string ShowOptions() const override;
  bool NeedsRevalidation() const override;
  Result<void> Sync() override;

  bool writable() const { return static_cast<bool>(layers_.upper); }
  const Layers& layers() const { return layers_; }

  // Serialises changes to the upper layer's directories, and guards every OverlayInode's place.
  // Above all inode locks of the layers, below OverlayInode::copy_mu_.
  Mutex<LockRank::kInode> change_mu_;

  // The live inode with this number, so that all names of a file share one.
  RefPtr<OverlayInode> Find(uint64_t number);
  // Makes `inode` findable; gives the one that is there already, if it was faster.
  RefPtr<OverlayInode> Enter(RefPtr<OverlayInode> inode);
  void Leave(OverlayInode& inode);

  // Where the upper copy of a lower file with several names is, for the names not copied up.
  RefPtr<vfs::Inode> FindCopy(uint64_t number);
  void RememberCopy(uint64_t number, RefPtr<vfs::Inode> upper);

 private:
  const Layers layers_;
  Mutex<LockRank::kLeaf> table_mu_;
  absl::flat_hash_map<uint64_t, OverlayInode*> inodes_ ABSL_GUARDED_BY(table_mu_);
  absl::flat_hash_map<uint64_t, RefPtr<vfs::Inode>> copies_ ABSL_GUARDED_BY(table_mu_);
};

// The root directory of a new overlay. EINVAL without lower layers.
Result<RefPtr<vfs::Inode>> NewRoot(Layers layers);
// The same, mounted (not yet attached anywhere).
Result<RefPtr<vfs::Mount>> NewMount(Layers layers, unsigned long flags, std::string source);

}  // namespace redoubt::overlay

#endif  // SENTRY_FS_OVERLAY_OVERLAY_H_
