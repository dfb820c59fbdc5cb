// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/walker.h"

#include <linux/openat2.h>
#include <sys/mount.h>

#include "sentry/vfs/lookup.h"
#include "sentry/vfs/permission.h"

namespace redoubt::vfs {

namespace {

constexpr size_t kMaxPath = 4096;  // With the terminating zero.
constexpr int kMaxLinks = 40;
constexpr unsigned long kNoSymlinkFollow = 256;  // MS_NOSYMFOLLOW

}  // namespace

Result<void> Walker::Start(const Path& start, std::string_view path) {
  if (path.empty()) return Errno(ENOENT);
  if (path.size() >= kMaxPath) return Errno(ENAMETOOLONG);
  rest_ = path;
  root_ = &caller_.root;
  if (Scoped()) {
    scope_ = start;
    root_ = &scope_;
  }
  if (path.front() != '/') {
    MoveTo(start);
  } else {
    if ((resolve_ & RESOLVE_BENEATH) != 0) return Errno(EXDEV);
    MoveTo(*root_);
  }
  Lock();
  return {};
}

bool Walker::Scoped() const { return (resolve_ & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0; }

void Walker::Lock() {
  if (locked_) return;
  locked_ = here_->superblock().get();
  locked_->tree_mu_.ReaderLock();
}

void Walker::Unlock() {
  if (!locked_) return;
  if (anchor_.get() != here_) {
    // The old anchor must not die under the lock: it may be the last of its superblock.
    RefPtr<Dentry> old = std::move(anchor_);
    anchor_ = RefPtr<Dentry>(here_);
    locked_->tree_mu_.ReaderUnlock();
  } else {
    locked_->tree_mu_.ReaderUnlock();
  }
  locked_ = nullptr;
}

void Walker::MoveTo(Path path) {
  Unlock();
  // The mount last: it keeps the superblock of the old dentry.
  anchor_ = std::move(path.dentry);
  here_ = anchor_.get();
  mount_ = std::move(path.mount);
}

Path Walker::Here() {
  Unlock();
  return Path{mount_, anchor_};
}

// Cuts the next component off rest_. False: nothing but slashes was left.
bool Walker::TakeComponent(std::string_view& name) {
  size_t begin = rest_.find_first_not_of('/');
  if (begin == std::string_view::npos) {
    rest_ = {};
    return false;
  }
  size_t end = rest_.find('/', begin);
  if (end == std::string_view::npos) end = rest_.size();
  name = rest_.substr(begin, end - begin);
  rest_.remove_prefix(end);
  return true;
}

Result<void> Walker::CheckSearch() {
  Inode& inode = *here_->inode();
  if (!inode.IsDirectory()) return Errno(ENOTDIR);
  return CheckInodePermission(caller_, inode, kMayExec);
}

Result<void> Walker::ToLast() {
  while (true) {
    std::string_view name;
    bool slash = rest_.starts_with('/');
    if (!TakeComponent(name)) {
      last_ = {};
      trailing_slash_ = slash;
      return {};
    }
    Lock();
    TRY(CheckSearch());
    if (rest_.find_first_not_of('/') == std::string_view::npos) {
      last_ = name;
      trailing_slash_ = !rest_.empty();
      return {};
    }
    if (TRY(StepInto(name, false, true)) == Step::kMissing) return Errno(ENOENT);
  }
}

bool Walker::LastSeemsMissing() {
  if (LastIsDots()) return false;
  Lock();
  if (!here_->superblock()->ChecksNames() || here_->deletedLocked()) return false;
  Dentry* child = here_->PeekChildLocked(last_);
  return child && child->IsNegative();
}

Result<Walker::Step> Walker::StepLast(bool follow) {
  if (last_.empty()) return Step::kArrived;
  Lock();
  return StepInto(last_, true, follow || trailing_slash_);
}

Result<Walker::Step> Walker::StepInto(std::string_view name, bool final, bool follow) {
  if (name == ".") return Step::kArrived;
  if (name == "..") {
    TRY(StepUp());
    return Step::kArrived;
  }
  Dentry* child = TRY(Child(name));
  if (child->IsNegative()) return Step::kMissing;
  if (follow && child->inode()->IsSymlink()) {
    bool magic = child->inode()->IsMagicLink();
    TRY(FollowLink(child->inode()));
    return magic && final ? Step::kArrived : Step::kFollowed;
  }
  here_ = child;
  if (child->mount_count().load(std::memory_order_relaxed) > 0) TRY(CrossMounts());
  return Step::kArrived;
}

Result<Dentry*> Walker::Child(std::string_view name) {
  Dentry* child = here_->PeekChildLocked(name);
  if (child && IsFresh(*here_, *child, rest_)) [[likely]]
    return child;
  if ((resolve_ & RESOLVE_CACHED) != 0) return Errno(EAGAIN);
  return ChildSlow(name);
}

Result<Dentry*> Walker::ChildSlow(std::string_view name) {
  Unlock();
  RefPtr<Dentry> found;
  {
    MutexLock lock(&here_->superblock()->tree_mu_);
    found = TRY(LookupLocked(*here_, name, rest_));
  }
  held_ = std::move(found);
  Lock();
  return held_.get();
}

Result<void> Walker::CrossMounts() {
  Unlock();
  Path top = MountNamespace::TopmostAt(Path{mount_, anchor_});
  if (top.mount != mount_) {
    if ((resolve_ & RESOLVE_NO_XDEV) != 0) return Errno(EXDEV);
    MoveTo(std::move(top));
  }
  Lock();
  return {};
}

Result<void> Walker::StepUp() {
  went_up_ = true;
  if (AtRoot()) {
    if ((resolve_ & RESOLVE_BENEATH) != 0) return Errno(EXDEV);
    return {};
  }
  if (here_ == mount_->root().get()) {
    TRY(StepOutOfMount());
    if (AtRoot() || here_ == mount_->root().get()) return CrossMounts();
  }
  if (Dentry* parent = here_->parentLocked().get()) here_ = parent;
  if (here_->mount_count().load(std::memory_order_relaxed) > 0) return CrossMounts();
  return {};
}

// From a mount's root to the place it covers, through as many mounts as meet there.
Result<void> Walker::StepOutOfMount() {
  while (here_ == mount_->root().get() && !AtRoot()) {
    Unlock();
    Path covered = MountNamespace::CoveredBy(*mount_);
    if (!covered.valid()) break;  // The top of the namespace, or a detached mount.
    if ((resolve_ & RESOLVE_NO_XDEV) != 0) return Errno(EXDEV);
    MoveTo(std::move(covered));
  }
  Lock();
  return {};
}

Result<void> Walker::FollowLink(RefPtr<Inode> link) {
  if ((resolve_ & RESOLVE_NO_SYMLINKS) != 0) return Errno(ELOOP);
  if ((mount_->flags() & kNoSymlinkFollow) != 0) return Errno(ELOOP);
  if (++links_ > kMaxLinks) return Errno(ELOOP);
  // Reading a link may wait for the gofer, or take the kernel's locks.
  Unlock();
  if (!link->IsMagicLink()) return FollowText(TRY(link->ReadLinkFor(caller_)));
  if ((resolve_ & RESOLVE_NO_MAGICLINKS) != 0) return Errno(ELOOP);
  if (Scoped()) return Errno(EXDEV);
  Path target = TRY(link->FollowMagicLink(caller_));
  if ((resolve_ & RESOLVE_NO_XDEV) != 0 && target.mount != mount_) return Errno(EXDEV);
  MoveTo(std::move(target));
  Lock();
  return {};
}

Result<void> Walker::FollowText(std::string text) {
  if (text.empty()) return Errno(ENOENT);
  if (text.size() >= kMaxPath) return Errno(ENAMETOOLONG);
  if (text.front() == '/') TRY(JumpToRoot());
  // rest_ is empty or begins with a slash; it may lie in buffer_.
  text.append(rest_);
  buffer_ = std::move(text);
  rest_ = buffer_;
  Lock();
  return {};
}

Result<void> Walker::JumpToRoot() {
  if ((resolve_ & RESOLVE_BENEATH) != 0) return Errno(EXDEV);
  if ((resolve_ & RESOLVE_NO_XDEV) != 0 && mount_ != root_->mount) return Errno(EXDEV);
  MoveTo(*root_);
  return {};
}

Result<void> Walker::CheckScope() {
  // Only ".." can lead out: a directory on the way may have been moved meanwhile.
  if (!Scoped() || !went_up_) return {};
  Path place = Here();
  while (place.mount != root_->mount) {
    place = MountNamespace::CoveredBy(*place.mount);
    if (!place.valid()) return Errno(EXDEV);
  }
  ReaderMutexLock lock(&place.dentry->superblock()->tree_mu_);
  for (const Dentry* up = place.dentry.get(); up; up = up->parentLocked().get()) {
    if (up == root_->dentry.get()) return {};
  }
  return Errno(EXDEV);
}

}  // namespace redoubt::vfs
