// SPDX-License-Identifier: Apache-2.0
//
// renameat2(2): Linux's do_renameat2() and vfs_rename().
#include <linux/fs.h>

#include "sentry/vfs/lookup.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"
#include "sentry/vfs/permission.h"

namespace redoubt::vfs {

namespace {

// Both ends, once the parents are known and the tree is locked.
struct Ends {
  const ParentWalk& from;
  const ParentWalk& to;
  RefPtr<Dentry> source;
  RefPtr<Dentry> target;  // Negative: nothing is replaced.
  unsigned flags;

  bool exchange() const { return (flags & RENAME_EXCHANGE) != 0; }
  Dentry& from_directory() const { return *from.parent.dentry; }
  Dentry& to_directory() const { return *to.parent.dentry; }
};

Result<void> CheckFlags(unsigned flags) {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) != 0) return Errno(EINVAL);
  bool exclusive = (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) != 0;
  if (exclusive && (flags & RENAME_EXCHANGE) != 0) return Errno(EINVAL);
  return {};
}

// Whether `above` is `below` or one of its ancestors.
bool IsAncestor(const Dentry* above, const Dentry* below) {
  for (; below; below = below->parentLocked().get()) {
    if (below == above) return true;
  }
  return false;
}

Result<void> FindEnds(Ends& ends) {
  ends.source = TRY(LookupLocked(ends.from_directory(), ends.from.name));
  if (ends.source->IsNegative()) return Errno(ENOENT);
  ends.target = TRY(LookupLocked(ends.to_directory(), ends.to.name));
  bool exists = !ends.target->IsNegative();
  if (exists && (ends.flags & RENAME_NOREPLACE) != 0) return Errno(EEXIST);
  if (ends.exchange()) {
    if (!exists) return Errno(ENOENT);
    if (ends.to.trailing_slash && !ends.target->inode()->IsDirectory()) return Errno(ENOTDIR);
  }
  if (!ends.source->inode()->IsDirectory()) {
    if (ends.from.trailing_slash) return Errno(ENOTDIR);
    if (ends.to.trailing_slash && !ends.exchange()) return Errno(ENOTDIR);
  }
  // A directory does not go below itself, nor on top of one it lies in.
  if (IsAncestor(ends.source.get(), &ends.to_directory())) return Errno(EINVAL);
  if (exists && IsAncestor(ends.target.get(), &ends.from_directory())) {
    return Errno(ends.exchange() ? EINVAL : ENOTEMPTY);
  }
  return {};
}

Result<void> CheckEnds(const Caller& caller, const Ends& ends) {
  Inode& source = *ends.source->inode();
  Inode& to = *ends.to_directory().inode();
  bool directory = source.IsDirectory();
  TRY(MayDelete(caller, *ends.from_directory().inode(), source, directory));
  Inode* target = ends.target->inode().get();
  if (!target) {
    TRY(MayCreate(caller, to));
  } else {
    TRY(MayDelete(caller, to, *target, ends.exchange() ? target->IsDirectory() : directory));
  }
  // Its ".." changes, and that is a write to it.
  bool moves = &ends.from_directory() != &ends.to_directory();
  if (moves && directory) TRY(CheckInodePermission(caller, source, kMayWrite));
  if (moves && ends.exchange() && target->IsDirectory()) {
    TRY(CheckInodePermission(caller, *target, kMayWrite));
  }
  if (ends.source->mount_count().load(std::memory_order_relaxed) > 0 ||
      ends.target->mount_count().load(std::memory_order_relaxed) > 0) {
    return Errno(EBUSY);
  }
  return {};
}

void NotifyMove(Inode& from, std::string_view old_name, Inode& to, std::string_view new_name,
                Inode& moved) {
  uint32_t cookie = NextMoveCookie();
  NotifyChild(from, IN_MOVED_FROM, old_name, moved, cookie);
  NotifyChild(to, IN_MOVED_TO, new_name, moved, cookie);
}

// fsnotify_move(), both ways for an exchange.
void NotifyRenamed(const Ends& ends) {
  if (!AnyWatches()) return;
  Inode& from = *ends.from_directory().inode();
  Inode& to = *ends.to_directory().inode();
  Inode& source = *ends.source->inode();
  Inode* target = ends.target->inode().get();
  NotifyMove(from, ends.from.name, to, ends.to.name, source);
  if (target && !ends.exchange()) NotifyInode(*target, IN_ATTRIB);
  NotifyInode(source, IN_MOVE_SELF);
  if (!target || !ends.exchange()) return;
  NotifyMove(to, ends.to.name, from, ends.from.name, *target);
  NotifyInode(*target, IN_MOVE_SELF);
}

Result<void> RenameLocked(const Caller& caller, Ends& ends) {
  TRY(FindEnds(ends));
  // Two names of one file: nothing happens, and nothing is checked.
  if (ends.source->inode() == ends.target->inode()) return {};
  TRY(CheckEnds(caller, ends));
  if ((ends.flags & RENAME_WHITEOUT) != 0 && !caller.HasCapability(CAP_MKNOD)) {
    return Errno(EPERM);
  }
  TRY(ends.from_directory().inode()->Rename(ends.from.name, *ends.source->inode(),
                                            *ends.to_directory().inode(), ends.to.name,
                                            ends.target->inode().get(), ends.flags));
  NotifyRenamed(ends);
  if (ends.exchange()) {
    Dentry::ExchangeLocked(ends.source.get(), ends.target.get());
    return {};
  }
  ends.from_directory().MoveChildLocked(ends.source.get(), &ends.to_directory(), ends.to.name);
  // A whiteout has to be looked up; otherwise the old name is known to be gone.
  if ((ends.flags & RENAME_WHITEOUT) == 0) {
    ends.from_directory().AddChildLocked(ends.from.name, nullptr);
  }
  return {};
}

}  // namespace

Result<void> Rename(const Caller& caller, const Path& old_start, std::string_view old_path,
                    const Path& new_start, std::string_view new_path, unsigned flags) {
  TRY(CheckFlags(flags));
  ParentWalk from = TRY(WalkToParent(caller, old_start, old_path));
  ParentWalk to = TRY(WalkToParent(caller, new_start, new_path));
  if (from.parent.mount != to.parent.mount) return Errno(EXDEV);
  if (from.is_dots) return Errno(EBUSY);
  if (to.is_dots) return Errno((flags & RENAME_NOREPLACE) != 0 ? EEXIST : EBUSY);
  TRY(CheckMountWritable(*from.parent.mount));
  Ends ends{.from = from, .to = to, .source = nullptr, .target = nullptr, .flags = flags};
  // The dentries in `ends` die after the lock.
  MutexLock lock(&from.parent.dentry->superblock()->tree_mu_);
  return RenameLocked(caller, ends);
}

}  // namespace redoubt::vfs
