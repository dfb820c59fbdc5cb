// SPDX-License-Identifier: Apache-2.0
//
// What all files of a tmpfs have: attributes, a link count, extended attributes.
#ifndef SENTRY_FS_TMPFS_INODE_H_
#define SENTRY_FS_TMPFS_INODE_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/inode.h"

namespace redoubt::tmpfs {

class TmpfsInode : public vfs::Inode {
 public:
  // The caller has charged the superblock for one inode; the destructor gives it back.
  TmpfsInode(RefPtr<TmpfsSuperblock> superblock, const vfs::CreateRequest& request);
  ~TmpfsInode() override;

  TmpfsSuperblock& tmpfs() const { return static_cast<TmpfsSuperblock&>(*superblock()); }
  uint64_t inode_number() const { return inode_number_; }

  Result<vfs::Attributes> GetAttributes() override;
  Result<void> SetAttributes(const vfs::AttributeChange& change) override;
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;

  Result<std::string> GetXattr(std::string_view name) override;
  Result<void> SetXattr(std::string_view name, std::string_view value, int flags) override;
  Result<void> RemoveXattr(std::string_view name) override;
  Result<std::vector<std::string>> ListXattrs() override;

  // A name of this file came or went. AddLink fails with ENOENT when the last one is gone for good,
  // EMLINK when there are too many.
  Result<void> AddLink();
  void DropLink();
  // No name yet; AddLink may give it one if `linkable`.
  void MarkNameless(bool linkable);

 protected:
  // Adds what the type knows: size and blocks.
  virtual void FillAttributesLocked(vfs::Attributes& attributes) const
      ABSL_SHARED_LOCKS_REQUIRED(mu_) {}
  virtual Result<void> ResizeLocked(uint64_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return Errno(EINVAL);
  }
  // What a write by `caller` takes away: set-id bits and file capabilities.
  void DropPrivilegesLocked(const vfs::Caller& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Modification and change time become now.
  void TouchLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex<LockRank::kInode> mu_;
  vfs::Attributes attributes_ ABSL_GUARDED_BY(mu_);
  // Made without a name, and may still get one (O_TMPFILE).
  bool nameless_ ABSL_GUARDED_BY(mu_) = false;

 private:
  using Xattrs = std::map<std::string, std::string, std::less<>>;
  Result<void> ChargeXattrsLocked(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const uint64_t inode_number_;
  std::unique_ptr<Xattrs> xattrs_ ABSL_GUARDED_BY(mu_);  // Null while there are none.
  size_t xattr_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

class Symlink : public TmpfsInode {
 public:
  Symlink(RefPtr<TmpfsSuperblock> superblock, const vfs::CreateRequest& request)
      : TmpfsInode(std::move(superblock), request), target_(request.symlink_target) {}
  Result<std::string> ReadLink() override { return target_; }

 private:
  void FillAttributesLocked(vfs::Attributes& attributes) const override {
    attributes.size = target_.size();
  }
  const std::string target_;
};

// A new inode of the type that `request.mode` names, not yet in any directory. ENOSPC.
Result<RefPtr<TmpfsInode>> NewInode(TmpfsSuperblock& superblock, const vfs::CreateRequest& request);

}  // namespace redoubt::tmpfs

#endif  // SENTRY_FS_TMPFS_INODE_H_
