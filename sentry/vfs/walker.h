// SPDX-License-Identifier: Apache-2.0
//
// Walker: one path walk in progress. Walk(), WalkToParent() and Open() are loops around it:
//
//   Walker walker(caller, resolve);
//   TRY(walker.Start(start, text));
//   while (true) {
//     TRY(walker.ToLast());                       // Everything but the last component.
//     switch (TRY(walker.StepLast(follow))) {
//       case Walker::Step::kFollowed: continue;   // It was a symlink: its text was put in front.
//       case Walker::Step::kMissing: ...          // walker.Here() is the directory.
//       case Walker::Step::kArrived: ...          // walker.Here() is the place.
//     }
//   }
//
// A cached walk takes the lock of each superblock it passes once, shared, and no reference but the
// last. The lock is dropped for symlinks, mounts and lookups that miss.
#ifndef SENTRY_VFS_WALKER_H_
#define SENTRY_VFS_WALKER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/path.h"

namespace redoubt::vfs {

// The locks are taken and dropped across calls, which clang's analysis cannot follow.
class Walker {
 public:
  // `resolve`: RESOLVE_* of <linux/openat2.h>.
  Walker(const Caller& caller, uint64_t resolve) : caller_(caller), resolve_(resolve) {}
  Walker(const Walker&) = delete;
  Walker& operator=(const Walker&) = delete;
  ~Walker() { Unlock(); }

  // `path` must outlive the walker. ENOENT when empty, ENAMETOOLONG.
  Result<void> Start(const Path& start, std::string_view path);
  // Walks all but the last component; last() names it then.
  Result<void> ToLast();

  enum class Step { kArrived, kFollowed, kMissing };
  // Steps to the last component. A symlink is followed if `follow` or when a slash comes after it.
  Result<Step> StepLast(bool follow);

  // Whether last() is cached as missing, and the file system would find out if that is wrong
  // (Superblock::ChecksNames()): who creates it need not look first.
  bool LastSeemsMissing();

  // As written; empty for "/" and the like.
  std::string_view last() const { return last_; }
  bool LastIsDots() const { return last_.empty() || last_ == "." || last_ == ".."; }
  bool trailing_slash() const { return trailing_slash_; }
  // Nothing is left to walk but last(): no symlink was followed since ToLast().
  bool AtEnd() const { return rest_.empty(); }

  // Where the walk is; gives the lock up.
  Path Here();
  // EXDEV when a scoped walk (RESOLVE_BENEATH, RESOLVE_IN_ROOT) ended outside its root.
  Result<void> CheckScope();

 private:
  void Lock() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void Unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void MoveTo(Path path);
  bool TakeComponent(std::string_view& name);
  Result<void> CheckSearch();
  Result<Step> StepInto(std::string_view name, bool final, bool follow);
  Result<Dentry*> Child(std::string_view name);
  Result<Dentry*> ChildSlow(std::string_view name);
  Result<void> CrossMounts();
  Result<void> StepUp();
  Result<void> StepOutOfMount();
  Result<void> FollowLink(RefPtr<Inode> link);
  Result<void> FollowText(std::string text);
  Result<void> JumpToRoot();
  bool Scoped() const;
  bool AtRoot() const { return here_ == root_->dentry.get() && mount_ == root_->mount; }

  const Caller& caller_;
  const uint64_t resolve_;
  const Path* root_ = nullptr;
  Path scope_;  // root_ for RESOLVE_IN_ROOT and RESOLVE_BENEATH.

  RefPtr<Mount> mount_;
  Dentry* here_ = nullptr;
  // Whose lock is held. While none is, anchor_ keeps here_ alive; held_ keeps a child that a slow
  // lookup gave, and that may have left the tree since.
  Superblock* locked_ = nullptr;
  RefPtr<Dentry> anchor_;
  RefPtr<Dentry> held_;

  std::string buffer_;     // The text once a symlink was followed.
  std::string_view rest_;  // What is still to walk.
  std::string_view last_;
  bool trailing_slash_ = false;
  bool went_up_ = false;
  int links_ = 0;
};

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_WALKER_H_
