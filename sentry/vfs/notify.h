// SPDX-License-Identifier: Apache-2.0
//
// Who wants to hear of changes to files (Linux's fs/notify): a Watch hangs on an inode and is told
// of events on that file and, when it is a directory, on the names in it. inotify and dnotify
// derive from Watch; the VFS and the system-call layer tell:
//
//   vfs::NotifyChild(*directory, IN_CREATE, name, *inode);     // A name came or went.
//   vfs::NotifyDentry(*file.path().dentry, IN_ATTRIB);         // The file, and its directory.
//
// Events are inotify's IN_* bits. While nobody watches anything in the sandbox each of these costs
// one load.
//
// A watched inode keeps its dentries in the cache (they are not evicted), since a second inode
// object for the same file would hear nothing.
#ifndef SENTRY_VFS_NOTIFY_H_
#define SENTRY_VFS_NOTIFY_H_

#include <sys/inotify.h>

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/ref_counted.h"
#include "base/sync/mutex.h"

namespace redoubt::vfs {

class Dentry;
class FileDescription;
class Inode;
class Superblock;

struct NotifyEvent {
  uint32_t mask = 0;  // One IN_* event; IN_ISDIR when it happened to a directory.
  uint32_t cookie = 0;
  std::string_view name;  // In the watched directory; empty: the watched file itself.
  // It came through an open file whose name is gone (IN_EXCL_UNLINK).
  bool unlinked = false;
};

// References are held by the inode's WatchList and by whoever made it.
class Watch : public RefCounted<Watch> {
 public:
  virtual ~Watch() = default;
  // The IN_* events it wants.
  virtual uint32_t mask() const = 0;
  // Runs under tree locks: may take kPipe locks and below, and wake.
  virtual void OnEvent(const NotifyEvent& event) = 0;
  // The file is gone, or its file system unmounted: the watch hangs on nothing any more.
  virtual void OnGone() = 0;
};

// The watches on one inode.
class WatchList {
 public:
  ~WatchList();
  void Add(RefPtr<Watch> watch);
  // False when it was not there (any more).
  bool Remove(const Watch* watch);
  std::vector<RefPtr<Watch>> TakeAll();
  void Tell(const NotifyEvent& event);
  // Which events anybody wants.
  bool Wants(uint32_t mask) const { return (mask_.load(std::memory_order_relaxed) & mask) != 0; }
  bool empty() const { return !occupied_.load(std::memory_order_acquire); }
  // A watch's mask changed.
  void Refresh();

 private:
  void RefreshLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex<LockRank::kEpoll> mu_;
  std::vector<RefPtr<Watch>> watches_ ABSL_GUARDED_BY(mu_);
  std::atomic<uint32_t> mask_{0};
  std::atomic<bool> occupied_{false};
};

namespace internal {
extern std::atomic<int> g_watches;
}  // namespace internal

inline bool AnyWatches() { return internal::g_watches.load(std::memory_order_relaxed) != 0; }

// Hears what is done through open files wherever they are: fanotify, whose marks hang on mounts and
// file systems too. References are held by the list of listeners and by whoever made it.
class FileListener : public RefCounted<FileListener> {
 public:
  virtual ~FileListener() = default;
  // No lock from kSuperblock downwards is held.
  virtual void OnFileEvent(FileDescription& file, uint32_t mask) = 0;
};
void AddFileListener(RefPtr<FileListener> listener);
void RemoveFileListener(const FileListener* listener);

// Opened to be executed: for FileListeners only (fanotify's FAN_OPEN_EXEC).
inline constexpr uint32_t kOpenedForExec = 0x1000;

// An event on the file itself.
void NotifyInode(Inode& inode, uint32_t mask);
// An event on the name `name` in `directory`, which is or was `child`'s.
void NotifyChild(Inode& directory, uint32_t mask, std::string_view name, const Inode& child,
                 uint32_t cookie = 0);
// An event on a file and, under its name, in its directory. Takes the tree's lock, shared.
void NotifyDentry(Dentry& dentry, uint32_t mask);
// The same for an open file; nothing for what open(2) did not make (pipes, sockets, layers).
void NotifyFile(FileDescription& file, uint32_t mask);
// A rename(2): both directories, then the file.
uint32_t NextMoveCookie();

// What Dentry and Mount tell.
void NotifyNameDied(Inode& inode);  // A removed dentry went: IN_DELETE_SELF after the last name.
void NotifyUnmounted(Superblock& superblock, const Dentry& root);

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_NOTIFY_H_
