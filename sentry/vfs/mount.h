// SPDX-License-Identifier: Apache-2.0
//
// Mount: a superblock's subtree at a place in the tree, with its own flags; MountNamespace: the
// tree of mounts that a set of tasks sees (mount_namespaces(7)).
#ifndef SENTRY_VFS_MOUNT_H_
#define SENTRY_VFS_MOUNT_H_

#include <sys/mount.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "sentry/vfs/dentry.h"

namespace redoubt::vfs {

struct Path;
class MountNamespace;

// References are held by its namespace while it is mounted, and by every Path.
class Mount : public RefCounted<Mount> {
 public:
  Mount(RefPtr<Superblock> superblock, RefPtr<Dentry> root, unsigned long flags,
        std::string source);
  ~Mount();

  const RefPtr<Superblock>& superblock() const { return superblock_; }
  const RefPtr<Dentry>& root() const { return root_; }
  int id() const { return id_; }
  // MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME ...
  unsigned long flags() const { return flags_.load(std::memory_order_relaxed); }
  void set_flags(unsigned long flags) { flags_.store(flags, std::memory_order_relaxed); }
  bool IsReadOnly() const { return (flags() & MS_RDONLY) != 0; }
  const std::string& source() const { return source_; }

  // A mount of nothing that is in no namespace: pipes, sockets, memfds live there.
  static const RefPtr<Mount>& Anonymous();

 private:
  friend class MountNamespace;
  const RefPtr<Superblock> superblock_;
  RefPtr<Dentry> root_;  // Dropped by the destructor only.
  const int id_;
  std::atomic<unsigned long> flags_;
  const std::string source_;
  // Where it is mounted; guarded by MountNamespace::mu_. Null for the root mount or a detached one.
  RefPtr<Mount> parent_;
  RefPtr<Dentry> mountpoint_;
  MountNamespace* namespace_ = nullptr;
};

// As Linux's fs.mount-max: mounting more is ENOSPC.
inline constexpr size_t kMaxMounts = 100000;

// References are held by tasks.
class MountNamespace : public RefCounted<MountNamespace> {
 public:
  // `detached`: a tree that is mounted nowhere yet (fsmount(2)); a Move may take it away.
  explicit MountNamespace(RefPtr<Mount> root, bool detached = false);
  ~MountNamespace();

  RefPtr<Mount> root() const;
  Path RootPath() const;
  bool Has(const Mount& mount) const;

  // Mounts `mount` on `where`, on top of what is mounted there already.
  Result<void> Attach(RefPtr<Mount> mount, const Path& where);
  // umount2(2): EBUSY when busy or it has children, unless `detach` (MNT_DETACH). The caller holds
  // exactly one reference to the mount, in the argument; any other one makes it busy.
  Result<void> Detach(const RefPtr<Mount>& mount, bool detach);
  // mount(2) with MS_MOVE: takes `mount` from where it is, in this namespace, to `where`. The root
  // of a detached tree brings all that is mounted below it.
  Result<void> Move(const RefPtr<Mount>& mount, const Path& where);
  // `mount` and all that is mounted below it, in whatever namespace it is.
  static std::vector<RefPtr<Mount>> Subtree(const RefPtr<Mount>& mount);
  // pivot_root(2): `new_root`, the root of a mount below, becomes the namespace's root, and the old
  // root is mounted on `put_old`, a directory in it. The caller changes the tasks' roots.
  Result<void> PivotRoot(const Path& new_root, const Path& put_old);
  // A copy of all mounts for CLONE_NEWNS; each of `paths` (a task's root, working directory) is
  // changed to the same place in the copy.
  RefPtr<MountNamespace> Clone(std::span<Path* const> paths) const;

  // The top mount on `path`, followed until nothing more is mounted there. A mount knows its own
  // children, so these two need no namespace: a walk may start in any.
  static Path TopmostAt(Path path);
  // The place that `mount` covers; not valid for a namespace's root.
  static Path CoveredBy(const Mount& mount);

  struct Entry {
    RefPtr<Mount> mount;
    int parent_id = 0;
    Path Where() const;
    RefPtr<Mount> parent;
    RefPtr<Dentry> mountpoint;
  };
  // All mounts in mounting order, for /proc/PID/mountinfo.
  std::vector<Entry> List() const;

 private:
  using Place = std::pair<const Mount*, const Dentry*>;
  using MountTable = absl::flat_hash_map<Place, RefPtr<Mount>>;

  // By (parent mount, mountpoint dentry), of all namespaces: what is mounted there.
  static MountTable& Table();
  Result<void> AttachLocked(RefPtr<Mount> mount, const Path& where)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes over all mounts of the detached tree `from`, whose root hangs at its new place already.
  void AdoptLocked(MountNamespace& from) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static Path TopmostLocked(Path path) ABSL_SHARED_LOCKS_REQUIRED(mu_);
  static void UnhookLocked(Mount& mount) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Brings order_ into an order where parents come before children.
  void SortLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<RefPtr<Mount>> SubtreeLocked(const RefPtr<Mount>& top) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // One lock for all namespaces: mounting is rare, and walks only read.
  static Mutex<LockRank::kMountNamespace> mu_;
  const bool detached_;
  RefPtr<Mount> root_ ABSL_GUARDED_BY(mu_);  // Null when a detached tree was taken away.
  std::vector<RefPtr<Mount>> order_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_MOUNT_H_
