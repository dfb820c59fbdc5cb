// SPDX-License-Identifier: Apache-2.0
//
// A directory of the overlay: lookups ask the layers from the top down (directory.cc), changes go
// to the upper layer (directory_changes.cc).
#ifndef SENTRY_FS_OVERLAY_DIRECTORY_H_
#define SENTRY_FS_OVERLAY_DIRECTORY_H_

#include <span>
#include <string_view>
#include <vector>

#include "sentry/fs/overlay/inode.h"
#include "sentry/fs/overlay/listing.h"

namespace redoubt::overlay {

class OverlayDirectory : public OverlayInode {
 public:
  using OverlayInode::OverlayInode;

  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override;
  Result<std::vector<RefPtr<vfs::Inode>>> LookupPath(
      std::span<const std::string_view> names) override;
  bool Revalidate(std::string_view name, vfs::Inode* child) override;
  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override;
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;

  Result<RefPtr<vfs::Inode>> Create(std::string_view name,
                                    const vfs::CreateRequest& request) override;
  Result<RefPtr<vfs::Inode>> CreateNameless(const vfs::CreateRequest& request) override;
  Result<void> Link(std::string_view name, vfs::Inode& target) override;
  Result<void> Unlink(std::string_view name, vfs::Inode& child) override;
  Result<void> RemoveDirectory(std::string_view name, vfs::Inode& child) override;
  Result<void> Rename(std::string_view name, vfs::Inode& child, vfs::Inode& new_directory,
                      std::string_view new_name, vfs::Inode* replaced, unsigned flags) override;

 private:
  // What the layers have under `name`.
  Result<Stack> FindStack(std::string_view name);
  Result<void> FindLowers(std::string_view name, Stack& stack);
  // Null when this way is not open: more than one lower layer, or something in the upper one.
  Result<std::vector<RefPtr<vfs::Inode>>> LookupLowerPath(std::span<const std::string_view> names);
  Result<RefPtr<OverlayInode>> MakeInode(Stack stack, std::string_view name);
  RefPtr<OverlayDirectory> Self() { return RefPtr<OverlayDirectory>(this); }

  // Whether a lower layer shows something under `name`, so that removing it takes a whiteout.
  Result<bool> LowerHas(std::string_view name);
  Result<bool> CoversLocked(std::string_view name, OverlayInode& child);
  Result<bool> IsEmpty();
  // Removes `child` from the upper layer, leaving a whiteout where a lower one shows through.
  Result<void> RemoveLocked(std::string_view name, OverlayInode& child);
  Result<void> EnsureNamedLocked(std::string_view name, OverlayInode& child);
  Result<bool> ClearTargetLocked(std::string_view name, OverlayInode* replaced);
  Result<void> ExchangeLocked(std::string_view name, OverlayInode& child, OverlayDirectory& to,
                              std::string_view new_name, OverlayInode& other);
  Result<void> MoveLocked(std::string_view name, OverlayInode& child, OverlayDirectory& to,
                          std::string_view new_name, OverlayInode* replaced);

  void ListAdd(std::string_view name, const OverlayInode& child);
  void ListRemove(std::string_view name);

  Mutex<LockRank::kInode> listing_mu_;
  Listing listing_ ABSL_GUARDED_BY(listing_mu_);
};

}  // namespace redoubt::overlay

#endif  // SENTRY_FS_OVERLAY_DIRECTORY_H_
