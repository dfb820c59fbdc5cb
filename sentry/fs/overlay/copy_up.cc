// SPDX-License-Identifier: Apache-2.0
//
// Copy-up: a lower file gets an upper copy before it is changed for the first time. The data of a
// regular file goes to a nameless upper file first, without the lock that all changes share; the
// copy appears under its name at once and complete.
#include <vector>

#include "sentry/fs/overlay/directory.h"
#include "sentry/fs/overlay/inode.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::overlay {

namespace {

vfs::CreateRequest RequestFor(const vfs::Attributes& attributes) {
  vfs::CreateRequest request{.mode = attributes.mode};
  request.uid = attributes.uid;
  request.gid = attributes.gid;
  request.device = attributes.special_device;
  return request;
}

// Adding a copied-up entry is no change that the guest made to the directory.
class KeepTimes {
 public:
  explicit KeepTimes(vfs::Inode& directory)
      : directory_(directory), attributes_(directory.GetAttributes()) {}
  ~KeepTimes() {
    if (!attributes_.ok()) return;
    vfs::AttributeChange change;
    change.access_time = attributes_->access_time;
    change.modify_time = attributes_->modify_time;
    (void)directory_.SetAttributes(change);
  }

 private:
  vfs::Inode& directory_;
  Result<vfs::Attributes> attributes_;
};

}  // namespace

Result<RefPtr<OverlayDirectory>> OverlayInode::Parent() {
  MutexLock lock(&overlay().change_mu_);
  if (!place_.parent) return Errno(EROFS);  // The root has an upper inode from the start.
  return place_.parent;
}

Result<void> OverlayInode::CopyUp(uint64_t limit) {
  if (upper()) return {};
  if (!overlay().writable()) return Errno(EROFS);
  // Ancestors first, topmost first; a loop, since guests choose the depth.
  std::vector<RefPtr<OverlayDirectory>> missing;
  RefPtr<OverlayDirectory> directory = TRY(Parent());
  while (!directory->upper()) {
    missing.push_back(directory);
    directory = TRY(static_cast<OverlayInode&>(*missing.back()).Parent());
  }
  for (auto next = missing.rbegin(); next != missing.rend(); ++next) TRY((*next)->CopyUp());
  directory = TRY(Parent());

  MutexLock lock(&copy_mu_);
  if (upper()) return {};  // Another thread was first.
  if (!directory->upper()) return Errno(ESTALE);
  RefPtr<vfs::Inode> copy = TRY(MakeCopy(*directory->upper(), limit));
  vfs::Attributes attributes = TRY(lowers_.front().inode->GetAttributes());
  if (!IsDirectory() && attributes.links > 1) overlay().RememberCopy(number_, copy);
  SetUpper(std::move(copy));
  return {};
}

// Directories and special files are made under their name at once: they have no data to wait for.
Result<RefPtr<vfs::Inode>> OverlayInode::MakeCopy(vfs::Inode& upper_parent, uint64_t limit) {
  const RefPtr<vfs::Inode>& lower = lowers_.front().inode;
  vfs::Attributes attributes = TRY(lower->GetAttributes());
  vfs::CreateRequest request = RequestFor(attributes);
  if (IsRegular()) {
    RefPtr<vfs::Inode> copy = TRY(upper_parent.CreateNameless(request));
    TRY(CopyData(lower, copy, limit));
    TRY(CopyMetadata(*lower, *copy));
    TRY(SetOrigin(*copy, number_));
    TRY(GiveName(*copy));
    return copy;
  }
  if (IsSymlink()) request.symlink_target = TRY(lower->ReadLink());
  MutexLock lock(&overlay().change_mu_);
  vfs::Inode* parent = place_.parent->upper();
  if (unlinked_ || !parent) return Errno(ESTALE);
  KeepTimes keep(*parent);
  RefPtr<vfs::Inode> copy = TRY(parent->Create(place_.name, request));
  auto complete = [&]() -> Result<void> {
    TRY(CopyMetadata(*lower, *copy));
    return SetOrigin(*copy, number_);
  };
  auto completed = complete();
  if (completed.ok()) return copy;
  // Half a copy must not hide the original.
  if (IsDirectory()) {
    (void)parent->RemoveDirectory(place_.name, *copy);
  } else {
    (void)parent->Unlink(place_.name, *copy);
  }
  return completed.error();
}

// A file that was unlinked meanwhile (while open) keeps a nameless copy.
Result<void> OverlayInode::GiveName(vfs::Inode& copy) {
  MutexLock lock(&overlay().change_mu_);
  if (unlinked_) return {};
  vfs::Inode* parent = place_.parent->upper();
  if (!parent) return Errno(ESTALE);
  KeepTimes keep(*parent);
  return parent->Link(place_.name, copy);
}

}  // namespace redoubt::overlay
