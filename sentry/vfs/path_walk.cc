// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/path_walk.h"

#include <vector>

#include "sentry/vfs/lookup.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/walker.h"

namespace redoubt::vfs {

Result<Path> Walk(const Caller& caller, const Path& start, std::string_view path,
                  const WalkOptions& options) {
  Walker walker(caller, options.resolve);
  TRY(walker.Start(start, path));
  while (true) {
    TRY(walker.ToLast());
    Walker::Step step = TRY(walker.StepLast(options.follow_final));
    if (step == Walker::Step::kMissing) return Errno(ENOENT);
    if (step == Walker::Step::kArrived) break;
  }
  Path place = walker.Here();
  bool directory = options.must_be_directory || walker.trailing_slash();
  if (directory && !place.dentry->inode()->IsDirectory()) return Errno(ENOTDIR);
  TRY(walker.CheckScope());
  return place;
}

Result<ParentWalk> WalkToParent(const Caller& caller, const Path& start, std::string_view path,
                                uint64_t resolve) {
  Walker walker(caller, resolve);
  TRY(walker.Start(start, path));
  TRY(walker.ToLast());
  ParentWalk result;
  result.name = walker.last().empty() ? "." : std::string(walker.last());
  result.is_dots = walker.LastIsDots();
  result.trailing_slash = walker.trailing_slash();
  result.parent = walker.Here();
  TRY(walker.CheckScope());
  return result;
}

Result<Path> LookupChild(const Caller& caller, const Path& parent, std::string_view name) {
  Inode& directory = *parent.dentry->inode();
  if (!directory.IsDirectory()) return Errno(ENOTDIR);
  TRY(CheckInodePermission(caller, directory, kMayExec));
  RefPtr<Dentry> child;
  {
    MutexLock lock(&parent.dentry->superblock()->tree_mu_);
    child = TRY(LookupLocked(*parent.dentry, name));
  }
  if (child->IsNegative()) return Errno(ENOENT);
  return MountNamespace::TopmostAt(Path{parent.mount, std::move(child)});
}

namespace {

// Collects the names from `place` up to `stop` or its mount's root, innermost first. Gives where it
// ended: `stop`, a mount's root, or the top of a tree.
RefPtr<Dentry> CollectNames(const Path& place, const Path& stop, std::vector<std::string>& names) {
  ReaderMutexLock lock(&place.dentry->superblock()->tree_mu_);
  const Dentry* root = place.mount->root().get();
  const Dentry* end = place.mount == stop.mount ? stop.dentry.get() : nullptr;
  Dentry* at = place.dentry.get();
  while (at != root && at != end && at->parentLocked()) {
    names.push_back(at->nameLocked());
    at = at->parentLocked().get();
  }
  return RefPtr<Dentry>(at);
}

bool IsDeleted(const Dentry& dentry) {
  ReaderMutexLock lock(&dentry.superblock()->tree_mu_);
  return dentry.deletedLocked();
}

}  // namespace

std::string PathText(const Caller& caller, const Path& path) {
  if (path.dentry->IsAnonymous()) {
    ReaderMutexLock lock(&path.dentry->superblock()->tree_mu_);
    return path.dentry->nameLocked();
  }
  std::vector<std::string> names;
  Path at = path;
  bool reachable = true;
  while (true) {
    at.dentry = CollectNames(at, caller.root, names);
    if (at == caller.root) break;
    Path covered = MountNamespace::CoveredBy(*at.mount);
    if (!covered.valid() || at.dentry != at.mount->root()) {
      // A caller without a root sees everything from the very top.
      reachable = !caller.root.valid();
      break;
    }
    at = std::move(covered);
  }
  std::string text = reachable ? "" : "(unreachable)";
  if (names.empty()) text += '/';
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    text += '/';
    text += *name;
  }
  if (IsDeleted(*path.dentry)) text += " (deleted)";
  return text;
}

}  // namespace redoubt::vfs
