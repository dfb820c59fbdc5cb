// SPDX-License-Identifier: Apache-2.0
//
// stat, access, chmod, chown, utimensat, truncate (Linux's fs/attr.c and fs/open.c).
#include "sentry/vfs/inode.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"
#include "sentry/vfs/permission.h"

namespace redoubt::vfs {

namespace {

constexpr uint32_t kKeepId = ~uint32_t{0};

// setattr_prepare() for ATTR_UID and ATTR_GID.
Result<void> MayChangeOwner(const Caller& caller, const Attributes& attributes, uint32_t uid,
                            uint32_t gid) {
  if (caller.HasCapability(CAP_CHOWN)) return {};
  bool owner = caller.uid == attributes.uid;
  if (uid != kKeepId && !(owner && uid == attributes.uid)) return Errno(EPERM);
  if (gid != kKeepId && !(owner && (gid == attributes.gid || caller.InGroup(gid)))) {
    return Errno(EPERM);
  }
  return {};
}

// A new owner does not inherit set-id bits; this holds for root too.
uint32_t ModeAfterChown(const Caller& caller, const Attributes& attributes) {
  uint32_t mode = attributes.mode & 07777;
  if (S_ISDIR(attributes.mode)) return mode;
  mode &= ~uint32_t{S_ISUID};
  bool member = caller.InGroup(attributes.gid) || caller.HasCapability(CAP_FSETID);
  if ((mode & S_IXGRP) != 0 || !member) mode &= ~uint32_t{S_ISGID};
  return mode;
}

std::optional<FileTime> NewTime(const TimeChange& change) {
  switch (change.kind) {
    case TimeChange::Kind::kOmit:
      return std::nullopt;
    case TimeChange::Kind::kNow:
      return Now();
    case TimeChange::Kind::kSet:
      break;
  }
  return change.time;
}

}  // namespace

Result<Attributes> GetAttributes(const Path& path) { return path.dentry->inode()->GetAttributes(); }

Result<void> Access(const Caller& caller, const Path& path, uint32_t may) {
  return CheckPermission(caller, path, may);
}

Result<void> ChangeMode(const Caller& caller, const Path& path, uint32_t mode) {
  TRY(CheckMountWritable(*path.mount));
  Inode& inode = *path.dentry->inode();
  if (inode.IsSymlink()) return Errno(EOPNOTSUPP);
  Attributes attributes = TRY(inode.GetAttributes());
  if (!IsOwnerOrCapable(caller, attributes)) return Errno(EPERM);
  mode &= 07777;
  if (!caller.InGroup(attributes.gid) && !caller.HasCapability(CAP_FSETID)) {
    mode &= ~uint32_t{S_ISGID};
  }
  AttributeChange change;
  change.mode = mode;
  TRY(inode.SetAttributes(change));
  NotifyDentry(*path.dentry, IN_ATTRIB);
  return {};
}

Result<void> ChangeOwner(const Caller& caller, const Path& path, uint32_t uid, uint32_t gid) {
  TRY(CheckMountWritable(*path.mount));
  Inode& inode = *path.dentry->inode();
  Attributes attributes = TRY(inode.GetAttributes());
  TRY(MayChangeOwner(caller, attributes, uid, gid));
  AttributeChange change;
  if (uid != kKeepId) change.uid = uid;
  if (gid != kKeepId) change.gid = gid;
  uint32_t mode = ModeAfterChown(caller, attributes);
  if (mode != (attributes.mode & 07777)) change.mode = mode;
  TRY(inode.SetAttributes(change));
  // File capabilities go as well; most files have none.
  if (inode.IsRegular()) (void)inode.RemoveXattr("security.capability");
  NotifyDentry(*path.dentry, IN_ATTRIB);
  return {};
}

Result<void> ChangeTimes(const Caller& caller, const Path& path, const TimeChange& access,
                         const TimeChange& modify) {
  using Kind = TimeChange::Kind;
  if (access.kind == Kind::kOmit && modify.kind == Kind::kOmit) return {};
  TRY(CheckMountWritable(*path.mount));
  Inode& inode = *path.dentry->inode();
  Attributes attributes = TRY(inode.GetAttributes());
  if (!IsOwnerOrCapable(caller, attributes)) {
    // Whoever may write may also touch: both times, to now.
    bool touch = access.kind == Kind::kNow && modify.kind == Kind::kNow;
    if (!touch) return Errno(EPERM);
    TRY(CheckInodePermission(caller, inode, kMayWrite));
  }
  AttributeChange change;
  change.access_time = NewTime(access);
  change.modify_time = NewTime(modify);
  TRY(inode.SetAttributes(change));
  // fsnotify_change(): only both times together are utime(2)'s doing.
  uint32_t event = IN_ATTRIB;
  if (!change.modify_time) event = IN_ACCESS;
  if (!change.access_time) event = IN_MODIFY;
  NotifyDentry(*path.dentry, event);
  return {};
}

Result<void> Truncate(const Caller& caller, const Path& path, uint64_t size) {
  Inode& inode = *path.dentry->inode();
  if (inode.IsDirectory()) return Errno(EISDIR);
  if (!inode.IsRegular()) return Errno(EINVAL);
  TRY(CheckMountWritable(*path.mount));
  TRY(CheckInodePermission(caller, inode, kMayWrite));
  Attributes attributes = TRY(inode.GetAttributes());
  if (size > attributes.size && size > caller.file_size_limit) return Errno(EFBIG);
  AttributeChange change;
  change.size = size;
  uint32_t mode = ModeAfterWrite(caller, attributes);
  if (mode != (attributes.mode & 07777)) change.mode = mode;
  TRY(inode.SetAttributes(change));
  NotifyDentry(*path.dentry, IN_MODIFY);
  return {};
}

}  // namespace redoubt::vfs
