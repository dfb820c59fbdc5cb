// SPDX-License-Identifier: Apache-2.0
//
// Dentry: a name in a directory, cached. The tree of one superblock's dentries is guarded by that
// superblock's tree_mu_ (shared to walk, exclusive to change).
//
// References: the parent's child table holds each child; each child holds its parent; mounts,
// open files, tasks (root, working directory) hold theirs. A dentry that only its parent's table
// holds is a mere cache entry and may be evicted at any time.
#ifndef SENTRY_VFS_DENTRY_H_
#define SENTRY_VFS_DENTRY_H_

#include <atomic>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "base/ref_counted.h"
#include "sentry/vfs/inode.h"

namespace redoubt::vfs {

class Dentry : public RefCounted<Dentry> {
 public:
  // A root (parent null, name empty), a child, or a negative entry (inode null).
  Dentry(RefPtr<Superblock> superblock, RefPtr<Dentry> parent, std::string name,
         RefPtr<Inode> inode);
  ~Dentry();

  // A dentry outside any tree, for pipes, sockets, memfds: `name` is what /proc/PID/fd shows
  // ("pipe:[123]").
  static RefPtr<Dentry> CreateAnonymous(std::string name, RefPtr<Inode> inode);

  // For a file that O_TMPFILE made, before anyone else sees it: its name never existed.
  void MarkNameless() { deleted_ = true; }

  const RefPtr<Superblock>& superblock() const { return superblock_; }
  // Null for a negative entry. A dentry that someone holds a reference to never becomes negative:
  // unlink replaces it in the tree and marks it deleted.
  const RefPtr<Inode>& inode() const { return inode_; }
  bool IsNegative() const { return !inode_; }
  bool IsAnonymous() const { return anonymous_; }

  // The following need tree_mu_, shared at least.
  const RefPtr<Dentry>& parentLocked() const { return parent_; }
  const std::string& nameLocked() const { return name_; }
  bool deletedLocked() const { return deleted_; }
  bool IsRoot() const { return !parent_ && !anonymous_; }
  // The cached child, or null when the name is not cached (negative entries are returned).
  RefPtr<Dentry> FindChildLocked(std::string_view name) const;
  // The same without a reference: valid while the lock is held.
  Dentry* PeekChildLocked(std::string_view name) const;

  // The following need tree_mu_ exclusively.
  // Puts a child under `name`, replacing what was cached there.
  RefPtr<Dentry> AddChildLocked(std::string_view name, RefPtr<Inode> inode);
  // Takes `child` out of the tree; `deleted`: its name is gone (unlink), not merely the cache
  // entry.
  void DropChildLocked(Dentry* child, bool deleted);
  // Moves `child` from this directory to `new_parent`/`new_name`, replacing what was cached there.
  void MoveChildLocked(Dentry* child, Dentry* new_parent, std::string_view new_name);
  // Swaps the places of two dentries (RENAME_EXCHANGE).
  static void ExchangeLocked(Dentry* a, Dentry* b);
  // Forgets children that only the cache holds, deepest first; gives how many went.
  size_t EvictUnusedLocked(size_t limit);
  // The same for a whole superblock; takes its lock.
  static void EvictAllUnused(Superblock& superblock);

  // How many mounts sit on this dentry, in any mount namespace: a walk looks for mounts only when
  // this is not 0, and unlink of it gives EBUSY.
  std::atomic<int>& mount_count() { return mount_count_; }
  // What the file system remembers of this name.
  NameCheck& name_check() { return name_check_; }

 private:
  friend class Superblock;
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return absl::Hash<std::string_view>()(name); }
    size_t operator()(const Dentry* dentry) const { return (*this)(dentry->name_); }
  };
  struct NameEqual {
    using is_transparent = void;
    bool operator()(const Dentry* a, const Dentry* b) const { return a->name_ == b->name_; }
    bool operator()(const Dentry* a, std::string_view b) const { return a->name_ == b; }
  };

  // Whether more than the cache holds it, or somebody watches its file.
  bool InUse() const { return ref_count() > 1 || (inode_ && inode_->watched()); }
  void InsertLocked(Dentry* child);
  void EraseLocked(Dentry* child);
  void ListAppendLocked();
  void ListRemoveLocked();
  static void TrimLocked(Superblock& superblock);

  const RefPtr<Superblock> superblock_;
  RefPtr<Dentry> parent_;
  std::string name_;
  const RefPtr<Inode> inode_;
  bool deleted_ = false;
  bool anonymous_ = false;
  // Looked up since eviction last passed by; set under the shared lock.
  mutable std::atomic<bool> recently_used_{true};
  std::atomic<int> mount_count_{0};
  NameCheck name_check_;
  // Holds one reference to each.
  absl::flat_hash_set<Dentry*, NameHash, NameEqual> children_;
  // The superblock's list.
  Dentry* older_ = nullptr;
  Dentry* newer_ = nullptr;
};

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_DENTRY_H_
