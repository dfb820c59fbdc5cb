// SPDX-License-Identifier: Apache-2.0
//
// What a file system implements: Superblock (one mounted instance) and Inode (one file).
//
// The rule that keeps file systems small: an Inode holds the truth about its file and, when it is a
// directory, about its entries. Dentries are only a cache in front of it, owned by the VFS, which
// also does every permission check, mount and symlink rule before it calls down. So an
// implementation never sees a path, only names, and may assume:
//   - names are valid (1..255 bytes, no '/', not "." or ".."), and calls make sense for type();
//   - directory changes of one superblock (Create, Link, Unlink, RemoveDirectory, Rename and the
//     Lookup that misses) are serialised by the VFS under Superblock::tree_mu_, held exclusively;
//   - everything else may run concurrently: guard your state with kInode locks.
// Defaults refuse with the errno that Linux gives when a file system lacks the operation.
#ifndef SENTRY_VFS_INODE_H_
#define SENTRY_VFS_INODE_H_

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "sentry/vfs/attributes.h"

namespace redoubt::vfs {

class Dentry;
class FileDescription;
class Inode;
class LockTable;
class WatchList;
struct Caller;
struct Path;

// One instance of a file system. References are held by its mounts and its inodes.
class Superblock : public RefCounted<Superblock> {
 public:
  // `type` is the name that /proc/mounts shows ("tmpfs").
  explicit Superblock(std::string_view type);
  virtual ~Superblock();

  const std::string& type() const { return type_; }
  // st_dev of its inodes: major 0 and a number of its own, unless the file system sets another.
  uint64_t device() const { return device_; }
  virtual Result<FilesystemStatus> Status() = 0;
  // Options as /proc/mounts shows them, without a leading comma ("size=65536k,mode=755").
  virtual std::string ShowOptions() const { return ""; }
  // Whether cached dentries may be wrong because someone else changes the file system (proc, shared
  // host directories). The VFS then calls Inode::Revalidate before it trusts one.
  virtual bool NeedsRevalidation() const { return false; }
  // Of those: whether Create never replaces a file, and Unlink gives ESTALE for a name that is no
  // longer the given child. The VFS then need not check a cached name just before.
  virtual bool ChecksNames() const { return false; }
  // Writes back what is not yet on the host (syncfs(2)).
  virtual Result<void> Sync() { return {}; }

  // Guards the dentry tree of this superblock and serialises directory changes. Taken by the VFS.
  Mutex<LockRank::kSuperblock> tree_mu_;

  // How many dentries the cache keeps; what is in use may exceed it.
  void SetDentryLimit(size_t limit);
  // Adds the inodes in the tree that somebody watches (notify.h).
  void CollectWatched(std::vector<RefPtr<Inode>>& watched);

 private:
  friend class Dentry;
  friend class Mount;
  const std::string type_;
  const uint64_t device_;
  // Every dentry in the tree but the root, oldest first, for eviction (dentry.cc).
  Dentry* oldest_ ABSL_GUARDED_BY(tree_mu_) = nullptr;
  Dentry* newest_ ABSL_GUARDED_BY(tree_mu_) = nullptr;
  size_t dentries_ ABSL_GUARDED_BY(tree_mu_) = 0;
  size_t dentry_limit_ ABSL_GUARDED_BY(tree_mu_) = 32768;
  std::atomic<int> mounts_{0};  // Live Mount objects: at the last one's end watches hear of it.
};

struct CreateRequest {
  uint32_t mode = 0;  // Type and permission bits; umask and setgid inheritance applied.
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t device = 0;              // For S_IFCHR and S_IFBLK.
  std::string symlink_target = {};  // For S_IFLNK.
  bool linkable = true;             // CreateNameless: whether linkat(2) may name it (no O_EXCL).
};

// What a file system that NeedsRevalidation() remembers of the last check of a cached name. Part of
// each Dentry; the meaning is the file system's.
struct NameCheck {
  std::atomic<uint64_t> call{0};     // The CurrentCall() in which the name was found to hold.
  std::atomic<uint64_t> epoch{0};    // Of the directory, when it was.
  std::atomic<int64_t> until_ns{0};  // On the monotonic clock: until when that counts.
};

// A cached name on the way of a walk.
struct CachedName {
  std::string_view name;
  Inode* child = nullptr;  // Null: a negative entry.
  NameCheck* check = nullptr;
};

// What another layer ties to a file: the pipe behind a FIFO, the endpoint bound to a socket.
class InodeAttachment : public RefCounted<InodeAttachment> {
 public:
  virtual ~InodeAttachment() = default;
};

// One entry of a directory, for getdents64(2).
struct DirectoryEntry {
  std::string_view name;
  uint64_t inode_number = 0;
  uint8_t type = 0;         // DT_*.
  int64_t next_offset = 0;  // d_off: where a later read goes on after this entry. Positive.
};

class DirectorySink {
 public:
  virtual ~DirectorySink() = default;
  // False when the entry did not fit; the file system stops there.
  virtual bool Add(const DirectoryEntry& entry) = 0;
};

// References are held by dentries, open files and whoever works with it.
class Inode : public RefCounted<Inode> {
 public:
  // `type` is the S_IFMT part of the mode, fixed for life.
  Inode(RefPtr<Superblock> superblock, uint32_t type);
  virtual ~Inode();

  const RefPtr<Superblock>& superblock() const { return superblock_; }
  uint32_t type() const { return type_; }
  bool IsDirectory() const { return type_ == S_IFDIR; }
  bool IsSymlink() const { return type_ == S_IFLNK; }
  bool IsRegular() const { return type_ == S_IFREG; }

  virtual Result<Attributes> GetAttributes() = 0;
  virtual Result<void> SetAttributes(const AttributeChange& change) { return Errno(EPERM); }

  // Directories. Lookup gives ENOENT for a name that is not there.
  virtual Result<RefPtr<Inode>> Lookup(std::string_view name) { return Errno(ENOTDIR); }
  // The inodes of the first one or more of `names`, each below the one before, in one trip; stops
  // at a missing name, a symlink or a file. ENOENT only when names[0] is missing.
  virtual Result<std::vector<RefPtr<Inode>>> LookupPath(std::span<const std::string_view> names);
  // False: the cached entry `name` -> `child` (null: negative) is stale. Only asked when the
  // superblock NeedsRevalidation(). `this` is the directory.
  virtual bool Revalidate(std::string_view name, Inode* child) { return true; }
  // Whether an earlier check of a name still counts; must be cheap. Asked before RevalidatePath.
  virtual bool StillHolds(const NameCheck& check) { return false; }
  // How many of `names`, the first of this directory and each below the one before, hold; 0: the
  // first is stale. Names beyond the first are those that the walk will ask about next.
  virtual size_t RevalidatePath(std::span<const CachedName> names) {
    return Revalidate(names[0].name, names[0].child) ? 1 : 0;
  }
  virtual Result<RefPtr<Inode>> Create(std::string_view name, const CreateRequest& request) {
    // vfs_create() and vfs_mkdir() do not agree on what a missing operation is.
    return Errno((request.mode & S_IFMT) == S_IFREG ? EACCES : EPERM);
  }
  // A nameless regular file (O_TMPFILE).
  virtual Result<RefPtr<Inode>> CreateNameless(const CreateRequest& request) {
    return Errno(EOPNOTSUPP);
  }
  virtual Result<void> Link(std::string_view name, Inode& target) { return Errno(EPERM); }
  virtual Result<void> Unlink(std::string_view name, Inode& child) { return Errno(EPERM); }
  // ENOTEMPTY when `child` has entries.
  virtual Result<void> RemoveDirectory(std::string_view name, Inode& child) { return Errno(EPERM); }
  // renameat2(2) within one superblock. `child` is the source, `replaced` what new_name names now
  // (null: nothing). `flags`: RENAME_EXCHANGE, RENAME_WHITEOUT; NOREPLACE was checked. The VFS has
  // checked types and loops; ENOTEMPTY is the file system's.
  virtual Result<void> Rename(std::string_view name, Inode& child, Inode& new_directory,
                              std::string_view new_name, Inode* replaced, unsigned flags) {
    return Errno(EPERM);
  }
  // Emits entries from `offset` on (0: the beginning), without "." and "..", which the VFS adds as
  // offsets 1 and 2: implementations use offsets from 3. Gives the offset to go on from.
  // Offsets stay valid while the directory changes.
  virtual Result<int64_t> ReadDirectory(int64_t offset, DirectorySink& sink) {
    return Errno(ENOTDIR);
  }

  virtual Result<std::string> ReadLink() { return Errno(EINVAL); }
  // What readlink(2) and a walk ask: the text of a link that differs by reader (/proc/self), or
  // that not everybody may read (/proc/PID/exe).
  virtual Result<std::string> ReadLinkFor(const Caller& caller) { return ReadLink(); }
  // Magic links (/proc/PID/exe, /proc/PID/fd/N): where they lead, without a walk. `handled` is
  // false for an ordinary symlink. ReadLink still gives the text.
  virtual bool IsMagicLink() const { return false; }
  virtual Result<Path> FollowMagicLink(const Caller& caller);

  // A new open file on this inode. `path` is where it was found; `flags` as open(2), checked.
  // O_TRUNC and O_CREAT were served by the VFS.
  virtual Result<RefPtr<FileDescription>> Open(const Path& path, uint32_t flags,
                                               const Caller& caller) = 0;

  // Extended attributes (xattr(7)). Set's flags: XATTR_CREATE, XATTR_REPLACE.
  virtual Result<std::string> GetXattr(std::string_view name) { return Errno(EOPNOTSUPP); }
  virtual Result<void> SetXattr(std::string_view name, std::string_view value, int flags) {
    return Errno(EOPNOTSUPP);
  }
  virtual Result<void> RemoveXattr(std::string_view name) { return Errno(EOPNOTSUPP); }
  virtual Result<std::vector<std::string>> ListXattrs() { return std::vector<std::string>{}; }

  // Lets `caller` in although the mode bits and its capabilities do not (a process at its own
  // /proc/PID/fd). Asked only then; CheckAccess follows.
  virtual bool AllowsDespiteMode(const Caller& caller) { return false; }
  // Permission beyond the mode bits (proc's ptrace checks). Called after the mode check passed.
  virtual Result<void> CheckAccess(const Caller& caller, uint32_t may_mask) { return {}; }

  // Record and flock locks on this file; made on first use, never null.
  LockTable& locks();
  // The same, but null when no lock was ever asked for.
  LockTable* locks_if_any() const { return locks_.load(std::memory_order_acquire); }

  // Who watches this file (notify.h); made on first use, never null.
  WatchList& watches();
  WatchList* watches_if_any() const { return watches_.load(std::memory_order_acquire); }
  // Whether anybody does now: its dentries then stay cached.
  bool watched() const;

  // What is tied to this file, or null.
  RefPtr<InodeAttachment> attachment() const;
  // Ties `wanted` to it unless something is there already; gives what is there afterwards.
  RefPtr<InodeAttachment> Attach(RefPtr<InodeAttachment> wanted);
  // Unties `attached`; no-op when something else is there.
  void Detach(const InodeAttachment* attached);

 private:
  const RefPtr<Superblock> superblock_;
  const uint32_t type_;
  std::atomic<LockTable*> locks_{nullptr};
  std::atomic<WatchList*> watches_{nullptr};
  mutable Mutex<LockRank::kLeaf> attachment_mu_;
  RefPtr<InodeAttachment> attachment_ ABSL_GUARDED_BY(attachment_mu_);
};

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_INODE_H_
