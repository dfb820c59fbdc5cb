// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/permission.h"

#include <sys/mount.h>

#include "sentry/vfs/path_walk.h"

namespace redoubt::vfs {

namespace {

// The capabilities that stand in for missing permission bits (capabilities(7)).
bool CapabilityAllows(const Caller& caller, bool directory, uint32_t mode, uint32_t may) {
  if (directory) {
    if ((may & kMayWrite) == 0 && caller.HasCapability(CAP_DAC_READ_SEARCH)) return true;
    return caller.HasCapability(CAP_DAC_OVERRIDE);
  }
  if (may == kMayRead && caller.HasCapability(CAP_DAC_READ_SEARCH)) return true;
  // Nobody executes what no one may execute.
  if ((may & kMayExec) != 0 && (mode & 0111) == 0) return false;
  return caller.HasCapability(CAP_DAC_OVERRIDE);
}

bool ModeAllows(const Caller& caller, const Attributes& attributes, uint32_t may) {
  uint32_t bits = attributes.mode;
  if (caller.uid == attributes.uid) {
    bits >>= 6;
  } else if (caller.InGroup(attributes.gid)) {
    bits >>= 3;
  }
  return (may & ~bits & 7) == 0;
}

// The sticky bit: only the owner of the file or of the directory removes it.
bool StickyForbids(const Caller& caller, const Attributes& directory, Inode& victim) {
  if ((directory.mode & S_ISVTX) == 0) return false;
  if (caller.HasCapability(CAP_FOWNER) || caller.uid == directory.uid) return false;
  auto attributes = victim.GetAttributes();
  return !attributes.ok() || attributes->uid != caller.uid;
}

}  // namespace

Result<void> CheckInodePermission(const Caller& caller, Inode& inode, uint32_t may) {
  if (may == 0) return {};
  bool directory = inode.IsDirectory();
  // Searching directories is most of a path walk; do not ask for attributes that cannot matter.
  if (!directory || !CapabilityAllows(caller, true, 0, may)) {
    Attributes attributes = TRY(inode.GetAttributes());
    if (!ModeAllows(caller, attributes, may) &&
        !CapabilityAllows(caller, directory, attributes.mode, may) &&
        !inode.AllowsDespiteMode(caller)) {
      return Errno(EACCES);
    }
  }
  return inode.CheckAccess(caller, may);
}

Result<void> CheckMountWritable(const Mount& mount) {
  if (mount.IsReadOnly()) return Errno(EROFS);
  return {};
}

Result<void> CheckPermission(const Caller& caller, const Path& path, uint32_t may) {
  Inode& inode = *path.dentry->inode();
  if ((may & kMayExec) != 0 && inode.IsRegular() && (path.mount->flags() & MS_NOEXEC) != 0) {
    return Errno(EACCES);
  }
  TRY(CheckInodePermission(caller, inode, may));
  bool stored = inode.IsRegular() || inode.IsDirectory() || inode.IsSymlink();
  if ((may & kMayWrite) != 0 && stored) TRY(CheckMountWritable(*path.mount));
  return {};
}

Result<void> MayCreate(const Caller& caller, Inode& directory) {
  return CheckInodePermission(caller, directory, kMayWrite | kMayExec);
}

Result<void> MayDelete(const Caller& caller, Inode& directory, Inode& victim, bool want_directory) {
  TRY(CheckInodePermission(caller, directory, kMayWrite | kMayExec));
  Attributes attributes = TRY(directory.GetAttributes());
  if (StickyForbids(caller, attributes, victim)) return Errno(EPERM);
  if (want_directory && !victim.IsDirectory()) return Errno(ENOTDIR);
  if (!want_directory && victim.IsDirectory()) return Errno(EISDIR);
  return {};
}

bool IsOwnerOrCapable(const Caller& caller, const Attributes& attributes) {
  return caller.uid == attributes.uid || caller.HasCapability(CAP_FOWNER);
}

uint32_t ModeAfterWrite(const Caller& caller, const Attributes& attributes) {
  uint32_t mode = attributes.mode & 07777;
  if ((mode & (S_ISUID | S_ISGID)) == 0 || caller.HasCapability(CAP_FSETID)) return mode;
  mode &= ~uint32_t{S_ISUID};
  // Set-group-id without group execution once meant mandatory locking; it stays for members.
  bool executable = (mode & S_IXGRP) != 0;
  if (executable || !caller.InGroup(attributes.gid)) mode &= ~uint32_t{S_ISGID};
  return mode;
}

void ApplyCreationRules(const Caller& caller, const Attributes& directory, CreateRequest& request) {
  bool is_directory = S_ISDIR(request.mode);
  if (!S_ISLNK(request.mode)) request.mode &= ~(caller.umask & 0777);
  request.uid = caller.uid;
  request.gid = caller.gid;
  if ((directory.mode & S_ISGID) == 0) return;
  request.gid = directory.gid;
  constexpr uint32_t kExecutableByGroup = S_ISGID | S_IXGRP;
  if (is_directory) {
    request.mode |= S_ISGID;
  } else if ((request.mode & kExecutableByGroup) == kExecutableByGroup &&
             !caller.InGroup(directory.gid) && !caller.HasCapability(CAP_FSETID)) {
    request.mode &= ~uint32_t{S_ISGID};
  }
}

}  // namespace redoubt::vfs
