// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/mount.h"

#include <algorithm>

#include "base/check.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/path.h"

namespace redoubt::vfs {

namespace {

int NextMountId() {
  static std::atomic<int> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

// Where pipes, sockets and memfds are: no root, no names.
class AnonymousSuperblock : public Superblock {
 public:
  AnonymousSuperblock() : Superblock("anon_inodefs") {}
  Result<FilesystemStatus> Status() override {
    FilesystemStatus status;
    status.magic = 0x09041934;  // ANON_INODE_FS_MAGIC
    return status;
  }
};

}  // namespace

Mount::Mount(RefPtr<Superblock> superblock, RefPtr<Dentry> root, unsigned long flags,
             std::string source)
    : superblock_(std::move(superblock)),
      root_(std::move(root)),
      id_(NextMountId()),
      flags_(flags),
      source_(std::move(source)) {
  superblock_->mounts_.fetch_add(1, std::memory_order_relaxed);
}

Mount::~Mount() {
  bool last = superblock_->mounts_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  if (!root_) return;
  // Dentries and their parents hold each other while they are cached. Keep the top of the tree
  // until everything unused below it has gone.
  RefPtr<Dentry> top = root_;
  {
    ReaderMutexLock lock(&superblock_->tree_mu_);
    while (top->parentLocked()) top = top->parentLocked();
  }
  if (last) NotifyUnmounted(*superblock_, *top);
  root_ = nullptr;
  Dentry::EvictAllUnused(*superblock_);
}

const RefPtr<Mount>& Mount::Anonymous() {
  static const auto* mount = new RefPtr<Mount>(
      MakeRef<Mount>(MakeRef<AnonymousSuperblock>(), nullptr, 0, std::string("none")));
  return *mount;
}

Mutex<LockRank::kMountNamespace> MountNamespace::mu_;

MountNamespace::MountTable& MountNamespace::Table() {
  static auto* table = new MountTable();
  return *table;
}

MountNamespace::MountNamespace(RefPtr<Mount> root, bool detached)
    : detached_(detached), root_(std::move(root)) {
  MutexLock lock(&mu_);
  root_->namespace_ = this;
  order_.push_back(root_);
}

MountNamespace::~MountNamespace() {
  std::vector<RefPtr<Mount>> dropped;  // Released after the lock, the last mounted first.
  {
    MutexLock lock(&mu_);
    dropped = order_;
    for (const RefPtr<Mount>& mount : dropped) UnhookLocked(*mount);
    order_.clear();
  }
  while (!dropped.empty()) dropped.pop_back();
}

RefPtr<Mount> MountNamespace::root() const {
  ReaderMutexLock lock(&mu_);
  return root_;
}

bool MountNamespace::Has(const Mount& mount) const {
  ReaderMutexLock lock(&mu_);
  return mount.namespace_ == this;
}

Path MountNamespace::RootPath() const {
  RefPtr<Mount> mount = root();
  RefPtr<Dentry> dentry = mount->root();
  return TopmostAt(Path{std::move(mount), std::move(dentry)});
}

Path MountNamespace::Entry::Where() const { return Path{parent, mountpoint}; }

Result<void> MountNamespace::Attach(RefPtr<Mount> mount, const Path& where) {
  MutexLock lock(&mu_);
  if (mount->namespace_) return Errno(EBUSY);
  if (order_.size() >= kMaxMounts) return Errno(ENOSPC);
  RefPtr<Mount> kept = mount;
  TRY(AttachLocked(std::move(mount), where));
  kept->namespace_ = this;
  order_.push_back(std::move(kept));
  return {};
}

Path MountNamespace::TopmostLocked(Path path) {
  for (auto it = Table().find(Place(path.mount.get(), path.dentry.get())); it != Table().end();
       it = Table().find(Place(path.mount.get(), path.dentry.get()))) {
    path = Path{it->second, it->second->root()};
  }
  return path;
}

Result<void> MountNamespace::AttachLocked(RefPtr<Mount> mount, const Path& where) {
  Path top = TopmostLocked(where);
  if (top.mount->namespace_ != this) return Errno(EINVAL);
  if (top.dentry->IsNegative()) return Errno(ENOENT);
  if (top.dentry->inode()->IsDirectory() != mount->root()->inode()->IsDirectory()) {
    return Errno(ENOTDIR);
  }
  {
    // Under the tree's lock, so that unlink sees either the count or the deletion is seen here.
    MutexLock tree(&top.dentry->superblock()->tree_mu_);
    if (top.dentry->deletedLocked()) return Errno(ENOENT);
    top.dentry->mount_count().fetch_add(1, std::memory_order_relaxed);
  }
  mount->parent_ = top.mount;
  mount->mountpoint_ = top.dentry;
  Table()[Place(top.mount.get(), top.dentry.get())] = std::move(mount);
  return {};
}

// Takes `mount` from its place. None of the references that go is the last one: the caller holds
// the mounts, and the tree the mountpoint.
void MountNamespace::UnhookLocked(Mount& mount) {
  mount.namespace_ = nullptr;
  if (!mount.parent_) return;
  Table().erase(Place(mount.parent_.get(), mount.mountpoint_.get()));
  mount.mountpoint_->mount_count().fetch_sub(1, std::memory_order_relaxed);
  mount.mountpoint_ = nullptr;
  mount.parent_ = nullptr;
}

std::vector<RefPtr<Mount>> MountNamespace::SubtreeLocked(const RefPtr<Mount>& top) const {
  std::vector<RefPtr<Mount>> subtree{top};
  for (const RefPtr<Mount>& mount : order_) {  // Parents come before children.
    bool below = mount->parent_ &&
                 std::find(subtree.begin(), subtree.end(), mount->parent_) != subtree.end();
    if (below && mount != top) subtree.push_back(mount);
  }
  return subtree;
}

std::vector<RefPtr<Mount>> MountNamespace::Subtree(const RefPtr<Mount>& mount) {
  ReaderMutexLock lock(&mu_);
  if (mount->namespace_ == nullptr) return {mount};
  return mount->namespace_->SubtreeLocked(mount);
}

Result<void> MountNamespace::Detach(const RefPtr<Mount>& mount, bool detach) {
  std::vector<RefPtr<Mount>> subtree;  // Outlives the lock.
  MutexLock lock(&mu_);
  if (mount->namespace_ != this || mount == root_) return Errno(EINVAL);
  // One reference each: order_, the table, the caller.
  if (!detach && mount->ref_count() > 3) return Errno(EBUSY);
  subtree = SubtreeLocked(mount);
  if (!detach && subtree.size() > 1) return Errno(EBUSY);
  for (const RefPtr<Mount>& gone : subtree) {
    UnhookLocked(*gone);
    std::erase(order_, gone);
  }
  return {};
}

Result<void> MountNamespace::Move(const RefPtr<Mount>& mount, const Path& where) {
  MutexLock lock(&mu_);
  MountNamespace* from = mount->namespace_;
  bool whole_tree = from != nullptr && from->detached_ && from->root_ == mount;
  if (!whole_tree && (from != this || !mount->parent_)) return Errno(EINVAL);
  if (from != this && order_.size() + from->order_.size() > kMaxMounts) return Errno(ENOSPC);
  // What is on top by now, which may be `mount` itself or lie below it.
  const Path top = TopmostLocked(where);
  for (const Mount* above = top.mount.get(); above; above = above->parent_.get()) {
    if (above == mount.get()) return Errno(ELOOP);
  }
  RefPtr<Mount> old_parent = mount->parent_;
  RefPtr<Dentry> old_mountpoint = mount->mountpoint_;
  TRY(AttachLocked(mount, top));
  if (whole_tree) {
    AdoptLocked(*from);
    return {};
  }
  Table().erase(Place(old_parent.get(), old_mountpoint.get()));
  old_mountpoint->mount_count().fetch_sub(1, std::memory_order_relaxed);
  // Keeps parents before children.
  for (const RefPtr<Mount>& moved : SubtreeLocked(mount)) {
    RefPtr<Mount> kept = moved;
    std::erase(order_, kept);
    order_.push_back(std::move(kept));
  }
  return {};
}

void MountNamespace::AdoptLocked(MountNamespace& from) {
  for (RefPtr<Mount>& mount : from.order_) {
    mount->namespace_ = this;
    order_.push_back(std::move(mount));
  }
  from.order_.clear();
  from.root_ = nullptr;  // Not the last reference: order_ has one.
}

void MountNamespace::SortLocked() {
  std::vector<RefPtr<Mount>> sorted{root_};
  std::vector<RefPtr<Mount>> left = std::move(order_);
  std::erase(left, root_);
  while (!left.empty()) {
    size_t before = left.size();
    std::erase_if(left, [&](const RefPtr<Mount>& mount) {
      if (std::find(sorted.begin(), sorted.end(), mount->parent_) == sorted.end()) return false;
      sorted.push_back(mount);
      return true;
    });
    CHECK(left.size() < before);
  }
  order_ = std::move(sorted);
}

Result<void> MountNamespace::PivotRoot(const Path& new_root, const Path& put_old) {
  MutexLock lock(&mu_);
  RefPtr<Mount> fresh = new_root.mount, old = root_;
  if (fresh == old || put_old.mount == old) return Errno(EBUSY);
  if (fresh->namespace_ != this || new_root.dentry != fresh->root()) return Errno(EINVAL);
  bool below = false;
  for (const Mount* above = put_old.mount.get(); above; above = above->parent_.get()) {
    below = below || above == fresh.get();
  }
  if (!below) return Errno(EINVAL);
  // For a moment each hangs below the other; nobody walks while the lock is held.
  TRY(AttachLocked(old, put_old));
  UnhookLocked(*fresh);
  fresh->namespace_ = this;
  root_ = fresh;
  SortLocked();
  return {};
}

RefPtr<MountNamespace> MountNamespace::Clone(std::span<Path* const> paths) const {
  auto copy_of = [](const Mount& mount) {
    return MakeRef<Mount>(mount.superblock(), mount.root(), mount.flags(), mount.source());
  };
  std::vector<Entry> entries = List();
  CHECK(!entries.empty() && !entries.front().parent);  // The root comes first.
  auto copy = MakeRef<MountNamespace>(copy_of(*entries.front().mount));
  absl::flat_hash_map<const Mount*, RefPtr<Mount>> copies{
      {entries.front().mount.get(), copy->root()}};
  for (const Entry& entry : entries) {
    // A mountpoint that was removed meanwhile loses its mount, and what is below that, as in a
    // namespace of its own.
    auto parent = copies.find(entry.parent.get());
    if (parent == copies.end()) continue;
    RefPtr<Mount> fresh = copy_of(*entry.mount);
    if (!copy->Attach(fresh, Path{parent->second, entry.mountpoint}).ok()) continue;
    copies[entry.mount.get()] = std::move(fresh);
  }
  for (Path* path : paths) {
    auto found = copies.find(path->mount.get());
    if (found != copies.end()) path->mount = found->second;
  }
  return copy;
}

Path MountNamespace::TopmostAt(Path path) {
  ReaderMutexLock lock(&mu_);
  while (path.dentry->mount_count().load(std::memory_order_relaxed) > 0) {
    auto found = Table().find(Place(path.mount.get(), path.dentry.get()));
    if (found == Table().end()) break;
    RefPtr<Mount> top = found->second;
    RefPtr<Dentry> root = top->root();
    path = Path{std::move(top), std::move(root)};
  }
  return path;
}

Path MountNamespace::CoveredBy(const Mount& mount) {
  ReaderMutexLock lock(&mu_);
  return Path{mount.parent_, mount.mountpoint_};
}

std::vector<MountNamespace::Entry> MountNamespace::List() const {
  ReaderMutexLock lock(&mu_);
  std::vector<Entry> entries;
  entries.reserve(order_.size());
  for (const RefPtr<Mount>& mount : order_) {
    Entry entry;
    entry.mount = mount;
    entry.parent_id = mount->parent_ ? mount->parent_->id() : 0;
    entry.parent = mount->parent_;
    entry.mountpoint = mount->mountpoint_;
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace redoubt::vfs
