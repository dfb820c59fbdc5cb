// SPDX-License-Identifier: Apache-2.0
//
// Names that come and go: mkdir, mknod, symlink, link, unlink, rmdir (Linux's fs/namei.c).
#include "sentry/vfs/lookup.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"
#include "sentry/vfs/permission.h"

namespace redoubt::vfs {

namespace {

constexpr size_t kMaxSymlink = 4095;

// filename_create() and what follows: `make(directory inode, name)` gives the new inode. The order
// of errors is EEXIST, ENOENT, EROFS, EACCES.
template <typename Make>
Result<Path> CreateName(const Caller& caller, const Path& start, std::string_view path,
                        bool directory, Make make) {
  ParentWalk walk = TRY(WalkToParent(caller, start, path));
  if (walk.is_dots) return Errno(EEXIST);
  Dentry& parent = *walk.parent.dentry;
  MutexLock lock(&parent.superblock()->tree_mu_);
  RefPtr<Dentry> child = TRY(LookupLocked(parent, walk.name));
  if (!child->IsNegative()) return Errno(EEXIST);
  if (walk.trailing_slash && !directory) return Errno(ENOENT);
  TRY(CheckMountWritable(*walk.parent.mount));
  TRY(MayCreate(caller, *parent.inode()));
  RefPtr<Inode> inode = TRY(make(walk.parent, walk.name));
  if (inode->watched()) NotifyInode(*inode, IN_ATTRIB);  // A link more: only link(2) gets here.
  NotifyChild(*parent.inode(), IN_CREATE, walk.name, *inode);
  return Path{walk.parent.mount, parent.AddChildLocked(walk.name, std::move(inode))};
}

Result<Path> CreateByRequest(const Caller& caller, const Path& start, std::string_view path,
                             CreateRequest request) {
  auto make = [&](const Path& parent, const std::string& name) -> Result<RefPtr<Inode>> {
    Inode& directory = *parent.dentry->inode();
    Attributes attributes = TRY(directory.GetAttributes());
    ApplyCreationRules(caller, attributes, request);
    return directory.Create(name, request);
  };
  return CreateName(caller, start, path, S_ISDIR(request.mode), make);
}

// may_mknod(), and what only a privileged caller makes. A whiteout (0/0) is harmless.
Result<void> CheckNodeType(const Caller& caller, uint32_t mode, uint64_t device) {
  switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
      return {};
    case S_IFCHR:
      if (device == 0) return {};
      [[fallthrough]];
    case S_IFBLK:
      if (!caller.HasCapability(CAP_MKNOD)) return Errno(EPERM);
      return {};
    case S_IFDIR:
      return Errno(EPERM);
    default:
      return Errno(EINVAL);
  }
}

// may_linkat() with protected_hardlinks: who does not own a file links it only if it could as well
// copy it, and it is nothing special.
Result<void> MayLink(const Caller& caller, Inode& source) {
  Attributes attributes = TRY(source.GetAttributes());
  if (IsOwnerOrCapable(caller, attributes)) return {};
  constexpr uint32_t kSetGidExecutable = S_ISGID | S_IXGRP;
  bool safe = S_ISREG(attributes.mode) && (attributes.mode & S_ISUID) == 0 &&
              (attributes.mode & kSetGidExecutable) != kSetGidExecutable;
  if (!safe || !CheckInodePermission(caller, source, kMayRead | kMayWrite).ok()) {
    return Errno(EPERM);
  }
  return {};
}

// That the entry which unlink or rmdir names may go.
Result<void> CheckVictimLocked(const Caller& caller, const ParentWalk& walk, Dentry* victim,
                               bool directory) {
  Dentry& parent = *walk.parent.dentry;
  if (victim->IsNegative()) return Errno(ENOENT);
  if (!directory && walk.trailing_slash) {
    return Errno(victim->inode()->IsDirectory() ? EISDIR : ENOTDIR);
  }
  TRY(MayDelete(caller, *parent.inode(), *victim->inode(), directory));
  if (victim->mount_count().load(std::memory_order_relaxed) > 0) return Errno(EBUSY);
  return {};
}

// d_delete_notify(): the file's own watches hear before the directory's, unless it is still open.
void NotifyRemoved(Inode& directory, const std::string& name, RefPtr<Dentry> victim) {
  if (!AnyWatches()) return;
  RefPtr<Inode> inode = victim->inode();
  victim = nullptr;
  NotifyChild(directory, IN_DELETE, name, *inode);
}

Result<void> RemoveFoundLocked(const Caller& caller, const ParentWalk& walk, Dentry* victim,
                               bool directory) {
  TRY(CheckVictimLocked(caller, walk, victim, directory));
  Dentry& parent = *walk.parent.dentry;
  if (directory) {
    TRY(parent.inode()->RemoveDirectory(walk.name, *victim->inode()));
  } else {
    TRY(parent.inode()->Unlink(walk.name, *victim->inode()));
  }
  parent.DropChildLocked(victim, true);
  parent.AddChildLocked(walk.name, nullptr);
  return {};
}

// Finds what unlink or rmdir names, and removes it. Needs the tree's lock.
Result<RefPtr<Dentry>> RemoveLocked(const Caller& caller, const ParentWalk& walk, bool directory) {
  Dentry& parent = *walk.parent.dentry;
  Victim victim = TRY(LookupVictimLocked(parent, walk.name));
  Result<void> removed = RemoveFoundLocked(caller, walk, victim.dentry.get(), directory);
  if (!removed.ok() && victim.unchecked) {
    // Was it what we took it for? If so, the error stands.
    victim.dentry = TRY(LookupLocked(parent, walk.name));
    removed = RemoveFoundLocked(caller, walk, victim.dentry.get(), directory);
  }
  if (!removed.ok()) return removed.error();
  return std::move(victim.dentry);
}

}  // namespace

Result<void> MakeDirectory(const Caller& caller, const Path& start, std::string_view path,
                           uint32_t mode) {
  constexpr uint32_t kKept = 0777 | S_ISVTX;
  TRY(CreateByRequest(caller, start, path, CreateRequest{.mode = S_IFDIR | (mode & kKept)}));
  return {};
}

Result<void> MakeNode(const Caller& caller, const Path& start, std::string_view path, uint32_t mode,
                      uint64_t device) {
  TRY(MakeNodeAt(caller, start, path, mode, device));
  return {};
}

Result<Path> MakeNodeAt(const Caller& caller, const Path& start, std::string_view path,
                        uint32_t mode, uint64_t device) {
  if ((mode & S_IFMT) == 0) mode |= S_IFREG;
  TRY(CheckNodeType(caller, mode, device));
  CreateRequest request{.mode = mode & (S_IFMT | 07777)};
  if (S_ISCHR(mode) || S_ISBLK(mode)) request.device = device;
  return CreateByRequest(caller, start, path, request);
}

Result<void> MakeSymlink(const Caller& caller, const Path& start, std::string_view path,
                         std::string_view target) {
  if (target.empty()) return Errno(ENOENT);
  if (target.size() > kMaxSymlink) return Errno(ENAMETOOLONG);
  CreateRequest request{.mode = S_IFLNK | 0777};
  request.symlink_target = target;
  TRY(CreateByRequest(caller, start, path, request));
  return {};
}

Result<void> Link(const Caller& caller, const Path& source, const Path& start,
                  std::string_view path) {
  RefPtr<Inode> inode = source.dentry->inode();
  auto make = [&](const Path& parent, const std::string& name) -> Result<RefPtr<Inode>> {
    if (parent.mount != source.mount) return Errno(EXDEV);
    TRY(MayLink(caller, *inode));
    if (inode->IsDirectory()) return Errno(EPERM);
    TRY(parent.dentry->inode()->Link(name, *inode));
    return inode;
  };
  TRY(CreateName(caller, start, path, false, make));
  return {};
}

Result<void> Unlink(const Caller& caller, const Path& start, std::string_view path) {
  ParentWalk walk = TRY(WalkToParent(caller, start, path));
  if (walk.is_dots) return Errno(EISDIR);
  TRY(CheckMountWritable(*walk.parent.mount));
  Dentry& parent = *walk.parent.dentry;
  RefPtr<Dentry> victim;  // Dies after the lock: with it, perhaps, a large file.
  {
    MutexLock lock(&parent.superblock()->tree_mu_);
    victim = TRY(RemoveLocked(caller, walk, false));
  }
  NotifyInode(*victim->inode(), IN_ATTRIB);
  NotifyRemoved(*parent.inode(), walk.name, std::move(victim));
  return {};
}

Result<void> RemoveDirectory(const Caller& caller, const Path& start, std::string_view path) {
  ParentWalk walk = TRY(WalkToParent(caller, start, path));
  if (walk.is_dots) {
    if (walk.name == "..") return Errno(ENOTEMPTY);
    bool root = path.find_first_not_of('/') == std::string_view::npos;
    return Errno(root ? EBUSY : EINVAL);
  }
  TRY(CheckMountWritable(*walk.parent.mount));
  Dentry& parent = *walk.parent.dentry;
  RefPtr<Dentry> victim;
  {
    MutexLock lock(&parent.superblock()->tree_mu_);
    victim = TRY(RemoveLocked(caller, walk, true));
  }
  NotifyRemoved(*parent.inode(), walk.name, std::move(victim));
  return {};
}

Result<std::string> ReadLink(const Caller& caller, const Path& path) {
  Inode& inode = *path.dentry->inode();
  if (!inode.IsSymlink()) return Errno(EINVAL);
  return inode.ReadLinkFor(caller);
}

}  // namespace redoubt::vfs
