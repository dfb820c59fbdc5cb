// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/overlay/directory.h"

#include "sentry/vfs/file_description.h"

namespace redoubt::overlay {

// Adds what the lower layers have under `name` below what `stack` holds already.
Result<void> OverlayDirectory::FindLowers(std::string_view name, Stack& stack) {
  for (const LowerInode& lower : lowers()) {
    auto found = lower.inode->Lookup(name);
    if (found.Is(ENOENT)) continue;
    RefPtr<vfs::Inode> inode = TRY(std::move(found));
    if (IsWhiteout(*inode)) break;
    // A file below a directory is hidden, and hides what is below itself.
    if (!inode->IsDirectory() && !stack.empty()) break;
    bool last = !inode->IsDirectory() || (lowers().size() > 1 && IsOpaque(*inode));
    stack.lowers.push_back({.inode = std::move(inode), .layer = lower.layer});
    if (last) break;
  }
  return {};
}

Result<Stack> OverlayDirectory::FindStack(std::string_view name) {
  Stack stack;
  if (vfs::Inode* upper_directory = upper()) {
    auto found = upper_directory->Lookup(name);
    if (found.ok()) {
      stack.upper = std::move(found).value();
      if (IsWhiteout(*stack.upper)) return Errno(ENOENT);
      if (!stack.upper->IsDirectory() || IsOpaque(*stack.upper)) return stack;
    } else if (!found.Is(ENOENT)) {
      return found.error();
    }
  }
  TRY(FindLowers(name, stack));
  if (stack.empty()) return Errno(ENOENT);
  return stack;
}

Result<RefPtr<OverlayInode>> OverlayDirectory::MakeInode(Stack stack, std::string_view name) {
  uint64_t number = TRY(NumberOf(stack));
  RefPtr<OverlaySuperblock> superblock(&overlay());
  Place place{.parent = Self(), .name = std::string(name)};
  if (stack.top().IsDirectory()) {
    return RefPtr<OverlayInode>(MakeRef<OverlayDirectory>(std::move(superblock), std::move(stack),
                                                          number, std::move(place)));
  }
  if (!stack.upper) stack.upper = overlay().FindCopy(number);
  if (RefPtr<OverlayInode> known = overlay().Find(number)) {
    if (known->type() == stack.top().type()) return known;
  }
  bool from_lower = !stack.lowers.empty();
  auto inode =
      MakeRef<OverlayInode>(std::move(superblock), std::move(stack), number, std::move(place));
  if (from_lower) inode->SetCoversLocked(Covers::kSomething);  // Nobody else knows it yet.
  return overlay().Enter(std::move(inode));
}

Result<RefPtr<vfs::Inode>> OverlayDirectory::Lookup(std::string_view name) {
  Stack stack = TRY(FindStack(name));
  return RefPtr<vfs::Inode>(TRY(MakeInode(std::move(stack), name)));
}

// Where the upper layer has nothing, a lower one can walk several names in one trip.
Result<std::vector<RefPtr<vfs::Inode>>> OverlayDirectory::LookupLowerPath(
    std::span<const std::string_view> names) {
  const LowerInode& lower = lowers().front();
  std::vector<RefPtr<vfs::Inode>> found = TRY(lower.inode->LookupPath(names));
  std::vector<RefPtr<vfs::Inode>> result;
  RefPtr<OverlayDirectory> parent = Self();
  for (size_t i = 0; i < found.size() && i < names.size(); ++i) {
    if (IsWhiteout(*found[i])) break;
    Stack stack;
    stack.lowers.push_back({.inode = std::move(found[i]), .layer = lower.layer});
    RefPtr<OverlayInode> inode = TRY(parent->MakeInode(std::move(stack), names[i]));
    result.push_back(RefPtr<vfs::Inode>(inode));
    if (!inode->IsDirectory()) break;
    parent = RefPtr<OverlayDirectory>(static_cast<OverlayDirectory*>(inode.get()));
  }
  if (result.empty()) return Errno(ENOENT);
  return result;
}

Result<std::vector<RefPtr<vfs::Inode>>> OverlayDirectory::LookupPath(
    std::span<const std::string_view> names) {
  bool upper_empty = !upper() || upper()->Lookup(names[0]).Is(ENOENT);
  if (lowers().size() == 1 && upper_empty) return LookupLowerPath(names);
  std::vector<RefPtr<vfs::Inode>> result;
  result.push_back(TRY(Lookup(names[0])));
  return result;
}

bool OverlayDirectory::Revalidate(std::string_view name, vfs::Inode* child) {
  auto* inode = static_cast<OverlayInode*>(child);
  if (inode && inode->upper()) return true;
  if (upper() && !upper()->Lookup(name).Is(ENOENT)) return true;
  for (const LowerInode& lower : lowers()) {
    vfs::Inode* below = nullptr;
    if (inode) {
      for (const LowerInode& candidate : inode->lowers()) {
        if (candidate.layer == lower.layer) below = candidate.inode.get();
      }
    }
    if (lower.inode->superblock()->NeedsRevalidation() && !lower.inode->Revalidate(name, below)) {
      return false;
    }
  }
  return true;
}

Result<int64_t> OverlayDirectory::ReadDirectory(int64_t offset, vfs::DirectorySink& sink) {
  MutexLock lock(&listing_mu_);
  bool again = offset == 0 && superblock()->NeedsRevalidation();
  if (!listing_.built() || again) TRY(listing_.Build(upper(), lowers()));
  return listing_.Read(offset, sink);
}

void OverlayDirectory::ListAdd(std::string_view name, const OverlayInode& child) {
  MutexLock lock(&listing_mu_);
  listing_.Add(name, child.number(), static_cast<uint8_t>(child.type() >> 12));
}

void OverlayDirectory::ListRemove(std::string_view name) {
  MutexLock lock(&listing_mu_);
  listing_.Remove(name);
}

Result<RefPtr<vfs::FileDescription>> OverlayDirectory::Open(const vfs::Path& path, uint32_t flags,
                                                            const vfs::Caller& caller) {
  return MakeRef<vfs::FileDescription>(path, flags);
}

}  // namespace redoubt::overlay
