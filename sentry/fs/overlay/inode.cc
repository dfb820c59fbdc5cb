// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/overlay/inode.h"

#include <fcntl.h>

#include "sentry/fs/overlay/directory.h"
#include "sentry/fs/overlay/file.h"
#include "sentry/vfs/special_files.h"

namespace redoubt::overlay {

OverlayInode::OverlayInode(RefPtr<OverlaySuperblock> superblock, Stack stack, uint64_t number,
                           Place place)
    : Inode(std::move(superblock), stack.top().type()),
      number_(number),
      lowers_(std::move(stack.lowers)),
      upper_(stack.upper.Release()),
      place_(std::move(place)) {}

OverlayInode::~OverlayInode() {
  if (!IsDirectory()) overlay().Leave(*this);
  if (vfs::Inode* upper = upper_.load(std::memory_order_acquire)) upper->Unref();
  // Guests choose how deep a tree is: do not recurse through the parents.
  RefPtr<OverlayDirectory> up = std::move(place_.parent);
  while (up && up->ref_count() == 1) {
    RefPtr<OverlayDirectory> next = std::move(static_cast<OverlayInode&>(*up).place_.parent);
    up = std::move(next);
  }
}

void OverlayInode::MoveLocked(Place place) { place_ = std::move(place); }

void OverlayInode::SetUpper(RefPtr<vfs::Inode> upper) {
  upper_.store(upper.Release(), std::memory_order_release);
}

Result<vfs::Attributes> OverlayInode::GetAttributes() {
  vfs::Attributes attributes = TRY(top().GetAttributes());
  attributes.inode_number = number_;
  attributes.device = superblock()->device();
  // A lower layer does not know that the name went.
  if (!upper() && unlinked_.load(std::memory_order_relaxed) && attributes.links > 0) {
    --attributes.links;
  }
  // Subdirectories of merged directories are not counted; 1 tells programs not to rely on it.
  if (IsDirectory() && upper() && !lowers_.empty()) attributes.links = 1;
  return attributes;
}

Result<void> OverlayInode::SetAttributes(const vfs::AttributeChange& change) {
  TRY(CopyUp(change.size.value_or(kWhole)));
  return upper()->SetAttributes(change);
}

Result<RefPtr<vfs::FileDescription>> OverlayInode::Open(const vfs::Path& path, uint32_t flags,
                                                        const vfs::Caller& caller) {
  if (!IsRegular()) return vfs::OpenSpecialFile(path, *this, flags, caller);
  if ((flags & O_ACCMODE) != O_RDONLY) TRY(CopyUp());
  return OverlayFile::Open(*this, path, flags, caller);
}

Result<std::string> OverlayInode::GetXattr(std::string_view name) {
  if (IsOwnXattr(name)) return Errno(ENODATA);
  return top().GetXattr(name);
}

Result<void> OverlayInode::SetXattr(std::string_view name, std::string_view value, int flags) {
  if (IsOwnXattr(name)) return Errno(EPERM);
  TRY(CopyUp());
  return upper()->SetXattr(name, value, flags);
}

Result<void> OverlayInode::RemoveXattr(std::string_view name) {
  if (IsOwnXattr(name)) return Errno(EPERM);
  // What is not there needs no copy.
  TRY(top().GetXattr(name));
  TRY(CopyUp());
  return upper()->RemoveXattr(name);
}

Result<std::vector<std::string>> OverlayInode::ListXattrs() {
  std::vector<std::string> names = TRY(top().ListXattrs());
  std::erase_if(names, [](const std::string& name) { return IsOwnXattr(name); });
  return names;
}

}  // namespace redoubt::overlay
