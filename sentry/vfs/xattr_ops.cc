// SPDX-License-Identifier: Apache-2.0
//
// Extended attributes and who may see which (Linux's fs/xattr.c).
#include <linux/limits.h>
#include <sys/xattr.h>

#include "sentry/vfs/inode.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"
#include "sentry/vfs/permission.h"

namespace redoubt::vfs {

namespace {

constexpr std::string_view kUser = "user.";
constexpr std::string_view kTrusted = "trusted.";
constexpr std::string_view kSecurity = "security.";
constexpr std::string_view kSystem = "system.";

Result<void> CheckName(std::string_view name) {
  if (name.empty() || name.size() > XATTR_NAME_MAX) return Errno(ERANGE);
  // A namespace alone names nothing.
  if (name == kUser || name == kTrusted || name == kSecurity || name == kSystem) {
    return Errno(EINVAL);
  }
  return {};
}

// security.* is open to reading; writing takes a capability that depends on the name.
Result<void> CheckSecurityName(const Caller& caller, std::string_view name, bool write) {
  if (!write) return {};
  int needed = name == "security.capability" ? CAP_SETFCAP : CAP_SYS_ADMIN;
  if (!caller.HasCapability(needed)) return Errno(EPERM);
  return {};
}

// xattr_permission().
Result<void> CheckXattr(const Caller& caller, Inode& inode, std::string_view name, bool write) {
  if (name.starts_with(kSecurity)) return CheckSecurityName(caller, name, write);
  // POSIX ACLs are not supported; Linux answers so where a file system lacks them.
  if (name.starts_with(kSystem)) return Errno(EOPNOTSUPP);
  if (name.starts_with(kTrusted)) {
    if (!caller.HasCapability(CAP_SYS_ADMIN)) return Errno(write ? EPERM : ENODATA);
    return {};
  }
  if (name.starts_with(kUser)) {
    if (!inode.IsRegular() && !inode.IsDirectory()) return Errno(write ? EPERM : ENODATA);
    Attributes attributes = TRY(inode.GetAttributes());
    bool sticky = inode.IsDirectory() && (attributes.mode & S_ISVTX) != 0;
    if (sticky && write && !IsOwnerOrCapable(caller, attributes)) return Errno(EPERM);
  }
  TRY(CheckInodePermission(caller, inode, write ? kMayWrite : kMayRead));
  if (!name.starts_with(kUser)) return Errno(EOPNOTSUPP);
  return {};
}

}  // namespace

Result<std::string> GetXattr(const Caller& caller, const Path& path, std::string_view name) {
  TRY(CheckName(name));
  Inode& inode = *path.dentry->inode();
  TRY(CheckXattr(caller, inode, name, false));
  return inode.GetXattr(name);
}

Result<void> SetXattr(const Caller& caller, const Path& path, std::string_view name,
                      std::string_view value, int flags) {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0) return Errno(EINVAL);
  TRY(CheckName(name));
  if (value.size() > XATTR_SIZE_MAX) return Errno(E2BIG);
  TRY(CheckMountWritable(*path.mount));
  Inode& inode = *path.dentry->inode();
  TRY(CheckXattr(caller, inode, name, true));
  TRY(inode.SetXattr(name, value, flags));
  NotifyDentry(*path.dentry, IN_ATTRIB);
  return {};
}

Result<void> RemoveXattr(const Caller& caller, const Path& path, std::string_view name) {
  TRY(CheckName(name));
  TRY(CheckMountWritable(*path.mount));
  Inode& inode = *path.dentry->inode();
  TRY(CheckXattr(caller, inode, name, true));
  TRY(inode.RemoveXattr(name));
  NotifyDentry(*path.dentry, IN_ATTRIB);
  return {};
}

Result<std::vector<std::string>> ListXattrs(const Caller& caller, const Path& path) {
  std::vector<std::string> names = TRY(path.dentry->inode()->ListXattrs());
  if (!caller.HasCapability(CAP_SYS_ADMIN)) {
    std::erase_if(names, [](const std::string& name) { return name.starts_with(kTrusted); });
  }
  return names;
}

}  // namespace redoubt::vfs
