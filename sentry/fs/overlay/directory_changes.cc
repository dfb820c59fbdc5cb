// SPDX-License-Identifier: Apache-2.0
//
// Changes to a directory of the overlay. Each copies up what it needs first, then takes change_mu_
// and works on the upper layer.
#include <linux/fs.h>

#include "sentry/fs/overlay/directory.h"

namespace redoubt::overlay {

namespace {

OverlayInode& AsOverlay(vfs::Inode& inode) { return static_cast<OverlayInode&>(inode); }

// A directory of which lower layers know; renaming it would tear the layers apart.
bool HasLowerDirectory(const OverlayInode& inode) {
  return inode.IsDirectory() && !inode.lowers().empty();
}

}  // namespace

Result<bool> OverlayDirectory::LowerHas(std::string_view name) {
  Stack stack;
  TRY(FindLowers(name, stack));
  return !stack.lowers.empty();
}

// LowerHas(), without a trip where it is known from when `child` was found or made.
Result<bool> OverlayDirectory::CoversLocked(std::string_view name, OverlayInode& child) {
  bool placed_here = child.placeLocked().parent == this && child.placeLocked().name == name;
  if (placed_here && child.coversLocked() != Covers::kUnknown) {
    return child.coversLocked() == Covers::kSomething;
  }
  return LowerHas(name);
}

Result<bool> OverlayDirectory::IsEmpty() {
  if (lowers().empty()) {
    return !upper() || !TRY(HasEntries(*upper()));
  }
  MutexLock lock(&listing_mu_);
  bool again = !listing_.built() || superblock()->NeedsRevalidation();
  if (again) TRY(listing_.Build(upper(), lowers()));
  return listing_.empty();
}

Result<RefPtr<vfs::Inode>> OverlayDirectory::Create(std::string_view name,
                                                    const vfs::CreateRequest& request) {
  // A guest must not make whiteouts.
  if (S_ISCHR(request.mode) && request.device == 0) return Errno(EPERM);
  TRY(CopyUp());
  MutexLock lock(&overlay().change_mu_);
  bool covers = TRY(RemoveWhiteout(*upper(), name));
  auto created = upper()->Create(name, request);
  auto finish = [&]() -> Result<RefPtr<OverlayInode>> {
    Stack stack;
    stack.upper = TRY(created);
    // What the lower layers have under this name stays hidden.
    if (covers && stack.upper->IsDirectory()) TRY(MarkOpaque(*stack.upper));
    return MakeInode(std::move(stack), name);
  };
  auto inode = finish();
  if (!inode.ok()) {
    if (created.ok() && (*created)->IsDirectory()) {
      (void)upper()->RemoveDirectory(name, **created);
    } else if (created.ok()) {
      (void)upper()->Unlink(name, **created);
    }
    if (covers) (void)MakeWhiteout(*upper(), name);
    return inode.error();
  }
  (*inode)->SetCoversLocked(covers ? Covers::kSomething : Covers::kNothing);
  ListAdd(name, **inode);
  return RefPtr<vfs::Inode>(std::move(inode).value());
}

Result<RefPtr<vfs::Inode>> OverlayDirectory::CreateNameless(const vfs::CreateRequest& request) {
  TRY(CopyUp());
  Stack stack;
  stack.upper = TRY(upper()->CreateNameless(request));
  return RefPtr<vfs::Inode>(TRY(MakeInode(std::move(stack), "")));
}

Result<void> OverlayDirectory::Link(std::string_view name, vfs::Inode& target) {
  OverlayInode& inode = AsOverlay(target);
  TRY(CopyUp());
  TRY(inode.CopyUp());
  MutexLock lock(&overlay().change_mu_);
  bool covered = TRY(RemoveWhiteout(*upper(), name));
  auto linked = upper()->Link(name, *inode.upper());
  if (!linked.ok()) {
    if (covered) (void)MakeWhiteout(*upper(), name);
    return linked;
  }
  ListAdd(name, inode);
  return {};
}

Result<void> OverlayDirectory::RemoveLocked(std::string_view name, OverlayInode& child) {
  bool covers = TRY(CoversLocked(name, child));
  auto found = upper()->Lookup(name);
  if (found.ok() && child.IsDirectory()) {
    TRY(ClearWhiteouts(**found));
    TRY(upper()->RemoveDirectory(name, **found));
  } else if (found.ok()) {
    TRY(upper()->Unlink(name, **found));
  } else if (!found.Is(ENOENT)) {
    return found.error();
  }
  if (covers) TRY(MakeWhiteout(*upper(), name));
  if (child.placeLocked().parent == this && child.placeLocked().name == name) {
    child.MarkUnlinkedLocked();
  }
  ListRemove(name);
  return {};
}

Result<void> OverlayDirectory::Unlink(std::string_view name, vfs::Inode& child) {
  TRY(CopyUp());
  MutexLock lock(&overlay().change_mu_);
  return RemoveLocked(name, AsOverlay(child));
}

Result<void> OverlayDirectory::RemoveDirectory(std::string_view name, vfs::Inode& child) {
  if (!TRY(static_cast<OverlayDirectory&>(child).IsEmpty())) return Errno(ENOTEMPTY);
  TRY(CopyUp());
  MutexLock lock(&overlay().change_mu_);
  return RemoveLocked(name, AsOverlay(child));
}

// A copied-up file of which another name was copied has no entry here yet.
Result<void> OverlayDirectory::EnsureNamedLocked(std::string_view name, OverlayInode& child) {
  auto found = upper()->Lookup(name);
  if (found.Is(ENOENT)) return upper()->Link(name, *child.upper());
  if (!found.ok()) return found.error();
  return {};
}

// Makes way for a rename: a whiteout goes (true), and so do those in a directory to be replaced.
Result<bool> OverlayDirectory::ClearTargetLocked(std::string_view name, OverlayInode* replaced) {
  if (!replaced) return RemoveWhiteout(*upper(), name);
  if (replaced->IsDirectory() && replaced->upper()) TRY(ClearWhiteouts(*replaced->upper()));
  return false;
}

Result<void> OverlayDirectory::ExchangeLocked(std::string_view name, OverlayInode& child,
                                              OverlayDirectory& to, std::string_view new_name,
                                              OverlayInode& other) {
  TRY(EnsureNamedLocked(name, child));
  TRY(to.EnsureNamedLocked(new_name, other));
  for (OverlayInode* moved : {&child, &other}) {
    if (moved->IsDirectory()) TRY(MarkOpaque(*moved->upper()));
  }
  TRY(upper()->Rename(name, *child.upper(), *to.upper(), new_name, other.upper(), RENAME_EXCHANGE));
  child.MoveLocked({.parent = to.Self(), .name = std::string(new_name)});
  other.MoveLocked({.parent = Self(), .name = std::string(name)});
  child.SetCoversLocked(Covers::kUnknown);
  other.SetCoversLocked(Covers::kUnknown);
  ListAdd(name, other);
  to.ListAdd(new_name, child);
  return {};
}

Result<void> OverlayDirectory::MoveLocked(std::string_view name, OverlayInode& child,
                                          OverlayDirectory& to, std::string_view new_name,
                                          OverlayInode* replaced) {
  bool covers_old = TRY(CoversLocked(name, child));
  bool covers_new = replaced && TRY(to.CoversLocked(new_name, *replaced));
  TRY(EnsureNamedLocked(name, child));
  // A name that was not there is hidden by a whiteout, or in no layer at all.
  bool whiteout = TRY(to.ClearTargetLocked(new_name, replaced));
  covers_new = covers_new || whiteout;
  if (covers_new && child.IsDirectory()) TRY(MarkOpaque(*child.upper()));
  // What is replaced is in the upper layer only if it was copied up under this very name.
  RefPtr<vfs::Inode> target;
  auto found = to.upper()->Lookup(new_name);
  if (found.ok()) target = std::move(found).value();
  auto renamed = upper()->Rename(name, *child.upper(), *to.upper(), new_name, target.get(), 0);
  if (!renamed.ok()) {
    if (whiteout) (void)MakeWhiteout(*to.upper(), new_name);
    return renamed;
  }
  if (covers_old) TRY(MakeWhiteout(*upper(), name));
  if (replaced && replaced->placeLocked().parent == &to &&
      replaced->placeLocked().name == new_name) {
    replaced->MarkUnlinkedLocked();
  }
  child.MoveLocked({.parent = to.Self(), .name = std::string(new_name)});
  child.SetCoversLocked(covers_new ? Covers::kSomething : Covers::kNothing);
  ListRemove(name);
  to.ListRemove(new_name);
  to.ListAdd(new_name, child);
  return {};
}

Result<void> OverlayDirectory::Rename(std::string_view name, vfs::Inode& child,
                                      vfs::Inode& new_directory, std::string_view new_name,
                                      vfs::Inode* replaced, unsigned flags) {
  auto& to = static_cast<OverlayDirectory&>(new_directory);
  OverlayInode& moved = AsOverlay(child);
  OverlayInode* target = replaced ? &AsOverlay(*replaced) : nullptr;
  bool exchange = (flags & RENAME_EXCHANGE) != 0;
  if ((flags & RENAME_WHITEOUT) != 0) return Errno(EINVAL);
  if (HasLowerDirectory(moved)) return Errno(EXDEV);
  if (exchange && HasLowerDirectory(*target)) return Errno(EXDEV);
  if (!exchange && target && target->IsDirectory() &&
      !TRY(static_cast<OverlayDirectory&>(*target).IsEmpty())) {
    return Errno(ENOTEMPTY);
  }
  TRY(moved.CopyUp());
  TRY(CopyUp());
  TRY(to.CopyUp());
  if (exchange) TRY(target->CopyUp());
  MutexLock lock(&overlay().change_mu_);
  if (exchange) return ExchangeLocked(name, moved, to, new_name, *target);
  return MoveLocked(name, moved, to, new_name, target);
}

}  // namespace redoubt::overlay
