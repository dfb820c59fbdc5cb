// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tmpfs/inode.h"

#include <sys/xattr.h>

#include "sentry/fs/tmpfs/contents.h"
#include "sentry/fs/tmpfs/directory.h"
#include "sentry/fs/tmpfs/regular_file.h"
#include "sentry/vfs/attribute_change.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/special_files.h"

namespace redoubt::tmpfs {

namespace {

constexpr size_t kMaxXattrBytes = 128 << 10;  // Of one file, names and values.
constexpr uint32_t kMaxLinks = 65000;
constexpr std::string_view kFileCapabilities = "security.capability";

uint64_t XattrPages(size_t bytes) { return (bytes + kPageSize - 1) / kPageSize; }

}  // namespace

TmpfsInode::TmpfsInode(RefPtr<TmpfsSuperblock> superblock, const vfs::CreateRequest& request)
    : Inode(superblock, request.mode & S_IFMT), inode_number_(superblock->NextInodeNumber()) {
  attributes_.inode_number = inode_number_;
  attributes_.device = superblock->device();
  attributes_.mode = request.mode;
  attributes_.uid = request.uid;
  attributes_.gid = request.gid;
  attributes_.special_device = request.device;
  attributes_.links = S_ISDIR(request.mode) ? 2 : 1;
  attributes_.birth_time = vfs::Now();
  attributes_.access_time = attributes_.modify_time = attributes_.change_time =
      attributes_.birth_time;
}

TmpfsInode::~TmpfsInode() {
  tmpfs().pages().Uncharge(XattrPages(xattr_bytes_));
  tmpfs().inodes().Uncharge(1);
}

Result<vfs::Attributes> TmpfsInode::GetAttributes() {
  ReaderMutexLock lock(&mu_);
  vfs::Attributes attributes = attributes_;
  FillAttributesLocked(attributes);
  return attributes;
}

Result<void> TmpfsInode::SetAttributes(const vfs::AttributeChange& change) {
  MutexLock lock(&mu_);
  if (change.size) {
    TRY(ResizeLocked(*change.size));
    attributes_.modify_time = vfs::Now();
  }
  vfs::ApplyChange(change, attributes_);
  return {};
}

Result<RefPtr<vfs::FileDescription>> TmpfsInode::Open(const vfs::Path& path, uint32_t flags,
                                                      const vfs::Caller& caller) {
  return vfs::OpenSpecialFile(path, *this, flags, caller);
}

void TmpfsInode::DropPrivilegesLocked(const vfs::Caller& caller) {
  attributes_.mode = type() | vfs::ModeAfterWrite(caller, attributes_);
  if (!xattrs_) return;
  auto found = xattrs_->find(kFileCapabilities);
  if (found == xattrs_->end()) return;
  (void)ChargeXattrsLocked(xattr_bytes_ - found->first.size() - found->second.size());
  xattrs_->erase(found);
}

void TmpfsInode::TouchLocked() { attributes_.modify_time = attributes_.change_time = vfs::Now(); }

Result<void> TmpfsInode::AddLink() {
  MutexLock lock(&mu_);
  if (attributes_.links == 0 && !nameless_) return Errno(ENOENT);
  if (attributes_.links >= kMaxLinks) return Errno(EMLINK);
  nameless_ = false;
  ++attributes_.links;
  attributes_.change_time = vfs::Now();
  return {};
}

void TmpfsInode::DropLink() {
  MutexLock lock(&mu_);
  // A directory's own "." goes with its name.
  attributes_.links = IsDirectory() ? 0 : attributes_.links - 1;
  attributes_.change_time = vfs::Now();
}

void TmpfsInode::MarkNameless(bool linkable) {
  MutexLock lock(&mu_);
  attributes_.links = 0;
  nameless_ = linkable;
}

Result<std::string> TmpfsInode::GetXattr(std::string_view name) {
  ReaderMutexLock lock(&mu_);
  if (!xattrs_) return Errno(ENODATA);
  auto found = xattrs_->find(name);
  if (found == xattrs_->end()) return Errno(ENODATA);
  return found->second;
}

Result<void> TmpfsInode::ChargeXattrsLocked(size_t bytes) {
  if (bytes > kMaxXattrBytes) return Errno(ENOSPC);
  uint64_t old_pages = XattrPages(xattr_bytes_), pages = XattrPages(bytes);
  if (pages > old_pages && !tmpfs().pages().Charge(pages - old_pages)) return Errno(ENOSPC);
  if (pages < old_pages) tmpfs().pages().Uncharge(old_pages - pages);
  xattr_bytes_ = bytes;
  return {};
}

Result<void> TmpfsInode::SetXattr(std::string_view name, std::string_view value, int flags) {
  MutexLock lock(&mu_);
  if (!xattrs_) xattrs_ = std::make_unique<Xattrs>();
  auto found = xattrs_->find(name);
  bool exists = found != xattrs_->end();
  if (exists && (flags & XATTR_CREATE) != 0) return Errno(EEXIST);
  if (!exists && (flags & XATTR_REPLACE) != 0) return Errno(ENODATA);
  size_t old_size = exists ? name.size() + found->second.size() : 0;
  TRY(ChargeXattrsLocked(xattr_bytes_ - old_size + name.size() + value.size()));
  if (exists) {
    found->second = value;
  } else {
    xattrs_->emplace(name, value);
  }
  attributes_.change_time = vfs::Now();
  return {};
}

Result<void> TmpfsInode::RemoveXattr(std::string_view name) {
  MutexLock lock(&mu_);
  if (!xattrs_) return Errno(ENODATA);
  auto found = xattrs_->find(name);
  if (found == xattrs_->end()) return Errno(ENODATA);
  TRY(ChargeXattrsLocked(xattr_bytes_ - name.size() - found->second.size()));
  xattrs_->erase(found);
  attributes_.change_time = vfs::Now();
  return {};
}

Result<std::vector<std::string>> TmpfsInode::ListXattrs() {
  ReaderMutexLock lock(&mu_);
  std::vector<std::string> names;
  if (!xattrs_) return names;
  for (const auto& [name, value] : *xattrs_) names.push_back(name);
  return names;
}

Result<RefPtr<TmpfsInode>> NewInode(TmpfsSuperblock& superblock,
                                    const vfs::CreateRequest& request) {
  if (!superblock.inodes().Charge(1)) return Errno(ENOSPC);
  RefPtr<TmpfsSuperblock> owner(&superblock);
  RefPtr<TmpfsInode> inode;
  switch (request.mode & S_IFMT) {
    case S_IFDIR:
      inode = MakeRef<Directory>(std::move(owner), request);
      break;
    case S_IFREG:
      inode = MakeRef<RegularFile>(std::move(owner), request);
      break;
    case S_IFLNK:
      inode = MakeRef<Symlink>(std::move(owner), request);
      break;
    default:
      inode = MakeRef<TmpfsInode>(std::move(owner), request);
      break;
  }
  return inode;
}

}  // namespace redoubt::tmpfs
