// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/dentry.h"

#include <vector>

#include "base/check.h"
#include "sentry/vfs/notify.h"

namespace redoubt::vfs {

Dentry::Dentry(RefPtr<Superblock> superblock, RefPtr<Dentry> parent, std::string name,
               RefPtr<Inode> inode)
    : superblock_(std::move(superblock)),
      parent_(std::move(parent)),
      name_(std::move(name)),
      inode_(std::move(inode)) {}

Dentry::~Dentry() {
  CHECK(children_.empty());
  if (inode_ && deleted_ && AnyWatches()) NotifyNameDied(*inode_);
  // A chain of removed directories, each held by the one below, must not recurse: guests choose
  // its length. Whoever holds the last reference may take the parent out first.
  RefPtr<Dentry> up = std::move(parent_);
  while (up && up->ref_count() == 1) {
    RefPtr<Dentry> next = std::move(up->parent_);
    up = std::move(next);
  }
}

RefPtr<Dentry> Dentry::CreateAnonymous(std::string name, RefPtr<Inode> inode) {
  RefPtr<Superblock> superblock = inode->superblock();
  auto dentry = MakeRef<Dentry>(std::move(superblock), nullptr, std::move(name), std::move(inode));
  dentry->anonymous_ = true;
  return dentry;
}

Dentry* Dentry::PeekChildLocked(std::string_view name) const {
  auto found = children_.find(name);
  if (found == children_.end()) return nullptr;
  Dentry* child = *found;
  // Checked first, so that walks on several CPUs do not fight for the cache line.
  if (!child->recently_used_.load(std::memory_order_relaxed)) {
    child->recently_used_.store(true, std::memory_order_relaxed);
  }
  return child;
}

RefPtr<Dentry> Dentry::FindChildLocked(std::string_view name) const {
  return RefPtr<Dentry>(PeekChildLocked(name));
}

void Dentry::InsertLocked(Dentry* child) {
  child->Ref();
  CHECK(children_.insert(child).second);
  // What was known of its old name says nothing of this one.
  child->name_check_.call.store(0, std::memory_order_relaxed);
  child->name_check_.epoch.store(0, std::memory_order_relaxed);
  child->ListAppendLocked();
}

void Dentry::EraseLocked(Dentry* child) {
  auto found = children_.find(std::string_view(child->name_));
  CHECK(found != children_.end() && *found == child);
  children_.erase(found);
  child->ListRemoveLocked();
  child->Unref();
}

RefPtr<Dentry> Dentry::AddChildLocked(std::string_view name, RefPtr<Inode> inode) {
  if (Dentry* old = PeekChildLocked(name)) DropChildLocked(old, false);
  auto child =
      MakeRef<Dentry>(superblock_, RefPtr<Dentry>(this), std::string(name), std::move(inode));
  InsertLocked(child.get());
  TrimLocked(*superblock_);
  return child;
}

void Dentry::DropChildLocked(Dentry* child, bool deleted) {
  RefPtr<Dentry> keep(child);
  EraseLocked(child);
  child->deleted_ = deleted;
  if (!child->children_.empty()) child->EvictUnusedLocked(~size_t{0});
}

void Dentry::MoveChildLocked(Dentry* child, Dentry* new_parent, std::string_view new_name) {
  RefPtr<Dentry> keep(child);
  EraseLocked(child);
  if (Dentry* old = new_parent->PeekChildLocked(new_name)) {
    new_parent->DropChildLocked(old, true);
  }
  child->name_ = new_name;
  child->parent_ = RefPtr<Dentry>(new_parent);
  new_parent->InsertLocked(child);
}

void Dentry::ExchangeLocked(Dentry* a, Dentry* b) {
  RefPtr<Dentry> keep_a(a), keep_b(b);
  RefPtr<Dentry> parent_a = a->parent_, parent_b = b->parent_;
  parent_a->EraseLocked(a);
  parent_b->EraseLocked(b);
  std::swap(a->name_, b->name_);
  std::swap(a->parent_, b->parent_);
  parent_a->InsertLocked(b);
  parent_b->InsertLocked(a);
}

size_t Dentry::EvictUnusedLocked(size_t limit) {
  // Parents come before their children in `below`; evicting from its end goes deepest first.
  std::vector<Dentry*> below(children_.begin(), children_.end());
  for (size_t i = 0; i < below.size(); ++i) {
    const auto& more = below[i]->children_;
    below.insert(below.end(), more.begin(), more.end());
  }
  size_t evicted = 0;
  for (size_t i = below.size(); i > 0 && evicted < limit; --i) {
    Dentry* dentry = below[i - 1];
    if (dentry->InUse()) continue;
    dentry->parent_->EraseLocked(dentry);
    ++evicted;
  }
  return evicted;
}

void Dentry::EvictAllUnused(Superblock& superblock) {
  MutexLock lock(&superblock.tree_mu_);
  // From the newest on, children mostly come before their parents; repeat for the exceptions.
  bool progress = true;
  while (progress) {
    progress = false;
    Dentry* dentry = superblock.newest_;
    while (dentry) {
      Dentry* next = dentry->older_;
      if (!dentry->InUse()) {
        // Keeps a parent that is out of the tree alive until we are past it.
        RefPtr<Dentry> parent = dentry->parent_;
        parent->EraseLocked(dentry);
        progress = true;
      }
      dentry = next;
    }
  }
}

// Second chance: what was looked up since the last pass goes to the end of the list once more. The
// number of looks is bounded, so that a cache full of dentries in use costs each insertion little.
void Dentry::TrimLocked(Superblock& superblock) {
  for (int looks = 0; superblock.dentries_ > superblock.dentry_limit_ && looks < 16; ++looks) {
    Dentry* dentry = superblock.oldest_;
    bool used = dentry->recently_used_.exchange(false, std::memory_order_relaxed);
    if (used || dentry->InUse()) {
      dentry->ListRemoveLocked();
      dentry->ListAppendLocked();
      continue;
    }
    RefPtr<Dentry> parent = dentry->parent_;
    parent->EraseLocked(dentry);
  }
}

void Superblock::CollectWatched(std::vector<RefPtr<Inode>>& watched) {
  ReaderMutexLock lock(&tree_mu_);
  for (const Dentry* dentry = oldest_; dentry; dentry = dentry->newer_) {
    if (dentry->inode() && dentry->inode()->watched()) watched.push_back(dentry->inode());
  }
}

void Dentry::ListAppendLocked() {
  Superblock& superblock = *superblock_;
  older_ = superblock.newest_;
  newer_ = nullptr;
  (older_ ? older_->newer_ : superblock.oldest_) = this;
  superblock.newest_ = this;
  ++superblock.dentries_;
}

void Dentry::ListRemoveLocked() {
  Superblock& superblock = *superblock_;
  (older_ ? older_->newer_ : superblock.oldest_) = newer_;
  (newer_ ? newer_->older_ : superblock.newest_) = older_;
  older_ = newer_ = nullptr;
  --superblock.dentries_;
}

}  // namespace redoubt::vfs
