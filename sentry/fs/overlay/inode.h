// SPDX-License-Identifier: Apache-2.0
//
// OverlayInode: one file of the overlay. It shows its upper inode when it has one and else its
// topmost lower one; CopyUp() gives it an upper one, for good.
//
// Lock order: copy_mu_ (a file's before its ancestors'), then OverlaySuperblock::change_mu_, then
// the layers' own locks. All are kInode locks, which may nest.
#ifndef SENTRY_FS_OVERLAY_INODE_H_
#define SENTRY_FS_OVERLAY_INODE_H_

#include <atomic>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "sentry/fs/overlay/layer.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/vfs/inode.h"

namespace redoubt::overlay {

class OverlayDirectory;

// Where a file is in the overlay; which name, for a file with several, is left open.
struct Place {
  RefPtr<OverlayDirectory> parent;  // Null for the root.
  std::string name;
};

class OverlayInode : public vfs::Inode {
 public:
  static constexpr uint64_t kWhole = std::numeric_limits<uint64_t>::max();

  OverlayInode(RefPtr<OverlaySuperblock> superblock, Stack stack, uint64_t number, Place place);
  ~OverlayInode() override;

  OverlaySuperblock& overlay() const { return static_cast<OverlaySuperblock&>(*superblock()); }
  uint64_t number() const { return number_; }
  // Null until copied up. What it once gave stays valid as long as this.
  vfs::Inode* upper() const { return upper_.load(std::memory_order_acquire); }
  const std::vector<LowerInode>& lowers() const { return lowers_; }
  vfs::Inode& top() const {
    vfs::Inode* upper = this->upper();
    return upper ? *upper : *lowers_.front().inode;
  }

  // Makes sure that there is an upper inode. Of the data only the first `limit` bytes are copied
  // (the caller is about to cut the file there). EROFS without an upper layer.
  Result<void> CopyUp(uint64_t limit = kWhole);

  // Guarded by overlay().change_mu_.
  const Place& placeLocked() const { return place_; }
  void MoveLocked(Place place);
  // Its last known name went: a later copy-up gets none.
  void MarkUnlinkedLocked() { unlinked_.store(true, std::memory_order_relaxed); }
  // Whether a lower layer has something under the name in place_.
  enum class Covers : uint8_t { kUnknown, kNothing, kSomething };
  Covers coversLocked() const { return covers_; }
  void SetCoversLocked(Covers covers) { covers_ = covers; }

  Result<vfs::Attributes> GetAttributes() override;
  Result<void> SetAttributes(const vfs::AttributeChange& change) override;
  Result<std::string> ReadLink() override { return top().ReadLink(); }
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;

  Result<std::string> GetXattr(std::string_view name) override;
  Result<void> SetXattr(std::string_view name, std::string_view value, int flags) override;
  Result<void> RemoveXattr(std::string_view name) override;
  Result<std::vector<std::string>> ListXattrs() override;

 protected:
  void SetUpper(RefPtr<vfs::Inode> upper);
  // The upper copy, complete but without a name.
  virtual Result<RefPtr<vfs::Inode>> MakeCopy(vfs::Inode& upper_parent, uint64_t limit);

  Mutex<LockRank::kInode> copy_mu_;

 private:
  Result<RefPtr<OverlayDirectory>> Parent();
  Result<void> GiveName(vfs::Inode& copy);

  const uint64_t number_;
  const std::vector<LowerInode> lowers_;
  std::atomic<vfs::Inode*> upper_;  // Holds a reference.
  Place place_;
  std::atomic<bool> unlinked_{false};  // Set under change_mu_.
  Covers covers_ = Covers::kUnknown;
};

}  // namespace redoubt::overlay

#endif  // SENTRY_FS_OVERLAY_INODE_H_
