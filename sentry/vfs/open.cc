// SPDX-License-Identifier: Apache-2.0
//
// open(2) and openat2(2): Linux's path_openat() and do_open().
#include <sys/mount.h>

#include "sentry/vfs/lookup.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/walker.h"

namespace redoubt::vfs {

namespace {

constexpr uint32_t kTmpfileBit = O_TMPFILE & ~O_DIRECTORY;
constexpr int kMaxRaces = 16;

bool Has(uint32_t flags, uint32_t bit) { return (flags & bit) != 0; }

// The permission that an open with `flags` needs.
uint32_t WantedAccess(uint32_t flags) {
  static constexpr uint32_t kByMode[] = {kMayRead, kMayWrite, kMayRead | kMayWrite,
                                         kMayRead | kMayWrite};
  uint32_t may = kByMode[flags & O_ACCMODE];
  return Has(flags, O_TRUNC) ? may | kMayWrite : may;
}

Result<uint32_t> CheckFlags(uint32_t flags) {
  if (Has(flags, O_PATH)) return flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (Has(flags, kTmpfileBit)) {
    bool writes = (flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR;
    if (!Has(flags, O_DIRECTORY) || Has(flags, O_CREAT) || !writes) return Errno(EINVAL);
  } else if (Has(flags, O_CREAT) && Has(flags, O_DIRECTORY)) {
    return Errno(EINVAL);
  }
  return flags;
}

// What the file system's Open sees: creation and truncation are done by then.
Result<RefPtr<FileDescription>> OpenInode(const Caller& caller, const Path& path, uint32_t flags) {
  constexpr uint32_t kServed = O_CREAT | O_EXCL | O_TRUNC;
  RefPtr<FileDescription> file = TRY(path.dentry->inode()->Open(path, flags & ~kServed, caller));
  // What a magic link leads to may be open already, under another description.
  file->TellWatches();
  NotifyFile(*file, IN_OPEN);
  return file;
}

// may_open(): what the file's type allows.
Result<uint32_t> CheckType(const Path& path, uint32_t flags) {
  switch (path.dentry->inode()->type()) {
    case S_IFLNK:
      return Errno(ELOOP);
    case S_IFDIR:
      if (Has(flags, O_CREAT) || Has(WantedAccess(flags), kMayWrite)) return Errno(EISDIR);
      return flags;
    case S_IFCHR:
    case S_IFBLK:
      if ((path.mount->flags() & MS_NODEV) != 0) return Errno(EACCES);
      return flags & ~uint32_t{O_TRUNC};
    case S_IFIFO:
    case S_IFSOCK:
      return flags & ~uint32_t{O_TRUNC};
    default:
      return flags;
  }
}

Result<void> CheckNoAtime(const Caller& caller, const Path& path, uint32_t flags) {
  if (!Has(flags, O_NOATIME)) return {};
  Attributes attributes = TRY(path.dentry->inode()->GetAttributes());
  if (!IsOwnerOrCapable(caller, attributes)) return Errno(EPERM);
  return {};
}

// O_TRUNC before the open itself, so that an overlay need not copy what is thrown away.
Result<void> TruncateForOpen(const Caller& caller, Inode& inode) {
  Attributes attributes = TRY(inode.GetAttributes());
  AttributeChange change;
  change.size = 0;
  uint32_t mode = ModeAfterWrite(caller, attributes);
  if (mode != (attributes.mode & 07777)) change.mode = mode;
  return inode.SetAttributes(change);
}

Result<RefPtr<FileDescription>> CreateNameless(const Caller& caller, const Path& directory,
                                               const OpenRequest& request) {
  Inode& parent = *directory.dentry->inode();
  TRY(CheckMountWritable(*directory.mount));
  TRY(MayCreate(caller, parent));
  Attributes attributes = TRY(parent.GetAttributes());
  CreateRequest create{.mode = S_IFREG | (request.mode & 07777)};
  create.linkable = !Has(request.flags, O_EXCL);
  ApplyCreationRules(caller, attributes, create);
  RefPtr<Inode> inode = TRY(parent.CreateNameless(create));
  Attributes made = TRY(inode->GetAttributes());
  // As Linux shows it in /proc/PID/fd: "#" and the inode number, below the directory.
  auto dentry = MakeRef<Dentry>(directory.dentry->superblock(), directory.dentry,
                                "#" + std::to_string(made.inode_number), std::move(inode));
  dentry->MarkNameless();
  return OpenInode(caller, Path{directory.mount, std::move(dentry)}, request.flags);
}

Result<Path> CreateFileLocked(const Caller& caller, const Path& parent, std::string_view name,
                              uint32_t mode) {
  Dentry& directory = *parent.dentry;
  TRY(CheckMountWritable(*parent.mount));
  TRY(MayCreate(caller, *directory.inode()));
  Attributes attributes = TRY(directory.inode()->GetAttributes());
  CreateRequest create{.mode = S_IFREG | (mode & 07777)};
  ApplyCreationRules(caller, attributes, create);
  RefPtr<Inode> inode = TRY(directory.inode()->Create(name, create));
  return Path{parent.mount, directory.AddChildLocked(name, std::move(inode))};
}

// Creates the walk's last component. Gives an invalid Path when another thread was faster.
Result<Path> CreateFile(const Caller& caller, const Path& parent, std::string_view name,
                        uint32_t mode) {
  MutexLock lock(&parent.dentry->superblock()->tree_mu_);
  RefPtr<Dentry> child = TRY(LookupLocked(*parent.dentry, name));
  if (!child->IsNegative()) return Path{};
  return CreateFileLocked(caller, parent, name, mode);
}

// The same without a look first, for what is cached as missing. Gives an invalid Path, and forgets
// what was cached, when that did not do: the walk then looks, and finds which error is the true
// one.
Path CreateUnchecked(const Caller& caller, const Path& parent, std::string_view name,
                     uint32_t mode) {
  Dentry& directory = *parent.dentry;
  MutexLock lock(&directory.superblock()->tree_mu_);
  RefPtr<Dentry> child = directory.FindChildLocked(name);
  if (!child || !child->IsNegative()) return Path{};
  Result<Path> made = CreateFileLocked(caller, parent, name, mode);
  if (made.ok()) return std::move(made).value();
  directory.DropChildLocked(child.get(), false);
  return Path{};
}

struct Found {
  Path path;
  bool created = false;
};

// One attempt at the last component of an open with O_CREAT. An invalid path: go on walking.
Result<Found> StepCreating(const Caller& caller, Walker& walker, const OpenRequest& request) {
  bool exclusive = Has(request.flags, O_EXCL);
  if (walker.LastIsDots()) return Errno(exclusive ? EEXIST : EISDIR);
  if (walker.trailing_slash()) return Errno(EISDIR);
  bool follow = !exclusive && !Has(request.flags, O_NOFOLLOW);
  bool unchecked = walker.LastSeemsMissing();
  Walker::Step step = Walker::Step::kMissing;
  if (!unchecked) step = TRY(walker.StepLast(follow));
  switch (step) {
    case Walker::Step::kFollowed:
      return Found{};
    case Walker::Step::kArrived:
      if (exclusive) return Errno(EEXIST);
      return Found{.path = walker.Here()};
    case Walker::Step::kMissing:
      break;
  }
  Path parent = walker.Here();
  TRY(walker.CheckScope());
  Path made;
  if (unchecked) {
    made = CreateUnchecked(caller, parent, walker.last(), request.mode);
  } else {
    made = TRY(CreateFile(caller, parent, walker.last(), request.mode));
  }
  bool created = made.valid();
  if (created) {
    NotifyChild(*parent.dentry->inode(), IN_CREATE, walker.last(), *made.dentry->inode());
  }
  return Found{.path = std::move(made), .created = created};
}

Result<Found> WalkCreating(const Caller& caller, const Path& start, std::string_view path,
                           const OpenRequest& request) {
  Walker walker(caller, request.resolve);
  TRY(walker.Start(start, path));
  TRY(walker.ToLast());
  // Links are counted by the walker; what the bound ends is a race with whoever creates and
  // removes the name again and again.
  for (int races = 0; races < 40 + kMaxRaces; ++races) {
    Found found = TRY(StepCreating(caller, walker, request));
    if (found.path.valid()) {
      TRY(walker.CheckScope());
      return found;
    }
    if (!walker.AtEnd()) TRY(walker.ToLast());
  }
  return Errno(ESTALE);
}

Result<RefPtr<FileDescription>> OpenFound(const Caller& caller, const Path& path, uint32_t flags) {
  Inode& inode = *path.dentry->inode();
  if (Has(flags, O_PATH)) return MakeRef<FileDescription>(path, flags);
  flags = TRY(CheckType(path, flags));
  if (Has(flags, O_TRUNC) && inode.IsRegular()) TRY(CheckMountWritable(*path.mount));
  TRY(CheckPermission(caller, path, WantedAccess(flags)));
  TRY(CheckNoAtime(caller, path, flags));
  if (Has(flags, O_TRUNC) && inode.IsRegular()) {
    TRY(TruncateForOpen(caller, inode));
    NotifyDentry(*path.dentry, IN_MODIFY);
  }
  return OpenInode(caller, path, flags);
}

}  // namespace

Result<RefPtr<FileDescription>> OpenPath(const Caller& caller, const Path& path, uint32_t flags) {
  flags = TRY(CheckFlags(flags));
  Inode& inode = *path.dentry->inode();
  if (Has(flags, kTmpfileBit)) return Errno(EINVAL);
  if (Has(flags, O_DIRECTORY) && !inode.IsDirectory()) return Errno(ENOTDIR);
  return OpenFound(caller, path, flags);
}

Result<RefPtr<FileDescription>> Open(const Caller& caller, const Path& start, std::string_view path,
                                     const OpenRequest& request) {
  OpenRequest checked = request;
  checked.flags = TRY(CheckFlags(request.flags));
  uint32_t flags = checked.flags;
  if (Has(flags, O_CREAT)) {
    Found found = TRY(WalkCreating(caller, start, path, checked));
    // A file just made is open, whatever its mode says.
    if (found.created) return OpenInode(caller, found.path, flags);
    return OpenFound(caller, found.path, flags);
  }
  bool tmpfile = Has(flags, kTmpfileBit);
  Path found = TRY(Walk(caller, start, path,
                        {.follow_final = !Has(flags, O_NOFOLLOW),
                         .must_be_directory = Has(flags, O_DIRECTORY),
                         .resolve = request.resolve}));
  if (tmpfile) return CreateNameless(caller, found, checked);
  return OpenFound(caller, found, flags);
}

}  // namespace redoubt::vfs
