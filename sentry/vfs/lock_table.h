// SPDX-License-Identifier: Apache-2.0
//
// LockTable: the locks on one inode, as fcntl(2) and flock(2) have them.
//
//   - POSIX record locks belong to a process and go when it closes any descriptor of the file;
//   - OFD record locks belong to an open file and conflict with POSIX locks too;
//   - flock locks belong to an open file, cover the whole file and see only each other.
//
// Nothing here blocks. F_SETLKW is: Set; on EAGAIN add a WaitEntry to wait_queue() (EPOLLOUT), ask
// BeginWait (EDEADLK), Set again, sleep, and EndWait when done:
//
//   LockOwner owner = LockOwner::Process(tgid);
//   TRY(inode.locks().SetRecord(owner, {.start = 0, .end = RecordRange::kToEnd}, exclusive));
#ifndef SENTRY_VFS_LOCK_TABLE_H_
#define SENTRY_VFS_LOCK_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/sync/mutex.h"
#include "base/sync/wait_queue.h"

namespace redoubt::vfs {

class FileDescription;

struct LockOwner {
  const FileDescription* description = nullptr;  // OFD locks; null for POSIX locks.
  int32_t tgid = 0;                              // Also kept for OFD locks: nobody reads it there.

  static LockOwner Process(int32_t tgid) { return {.description = nullptr, .tgid = tgid}; }
  static LockOwner OpenFile(const FileDescription& file) { return {.description = &file}; }
  bool operator==(const LockOwner& other) const {
    return description == other.description && (description != nullptr || tgid == other.tgid);
  }
};

// Bytes from `start` to `end`, both included.
struct RecordRange {
  static constexpr uint64_t kToEnd = std::numeric_limits<int64_t>::max();
  uint64_t start = 0;
  uint64_t end = kToEnd;
  bool Meets(const RecordRange& other) const { return start <= other.end && other.start <= end; }
};

struct RecordLock {
  LockOwner owner;
  RecordRange range;
  bool exclusive = false;
};

class LockTable {
 public:
  // F_SETLK and F_OFD_SETLK: sets, converts, splits and merges. EAGAIN on a conflict, ENOLCK when
  // the file has too many locks.
  Result<void> SetRecord(const LockOwner& owner, const RecordRange& range, bool exclusive);
  // F_UNLCK.
  Result<void> ClearRecord(const LockOwner& owner, const RecordRange& range);
  // F_GETLK: a lock that is in the way, if any.
  std::optional<RecordLock> FindConflict(const LockOwner& owner, const RecordRange& range,
                                         bool exclusive);

  // Notes that process `tgid` is about to sleep for this lock. EDEADLK when who holds it waits,
  // perhaps through others, for `tgid`. Only POSIX locks are followed, as in Linux.
  Result<void> BeginWait(int32_t tgid, const RecordRange& range, bool exclusive);
  static void EndWait(int32_t tgid);

  // flock(2). EAGAIN on a conflict; converting drops the old lock first, as Linux does.
  Result<void> SetFlock(const FileDescription& file, bool exclusive);
  void ClearFlock(const FileDescription& file);

  // Woken with EPOLLOUT when a lock went.
  WaitQueue& wait_queue() { return wait_queue_; }

  // A process closed a descriptor of the file; an open file went.
  void ReleaseProcess(int32_t tgid);
  void ReleaseDescription(const FileDescription& file);

  // All locks, for /proc/locks.
  std::vector<RecordLock> Records();

 private:
  struct Flock {
    const FileDescription* file;
    bool exclusive;
  };

  const RecordLock* ConflictLocked(const LockOwner& owner, const RecordRange& range,
                                   bool exclusive) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes `range` out of what `owner` holds; true when something went.
  bool CutLocked(const LockOwner& owner, const RecordRange& range)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void InsertLocked(RecordLock lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex<LockRank::kLeaf> mu_;
  std::vector<RecordLock> records_ ABSL_GUARDED_BY(mu_);
  std::vector<Flock> flocks_ ABSL_GUARDED_BY(mu_);
  WaitQueue wait_queue_;
};

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_LOCK_TABLE_H_
