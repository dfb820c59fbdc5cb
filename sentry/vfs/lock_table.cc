// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/lock_table.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"

namespace redoubt::vfs {

namespace {

// A guest could otherwise lock every other byte of a file.
constexpr size_t kMaxRecords = 8192;
constexpr int kMaxChain = 64;

// Which process sleeps for a lock of which: the graph that BeginWait looks for circles in.
struct WaitGraph {
  Mutex<LockRank::kLeaf> mu;
  absl::flat_hash_map<int32_t, int32_t> holder_by_waiter ABSL_GUARDED_BY(mu);
};

WaitGraph& Graph() {
  static auto* graph = new WaitGraph();
  return *graph;
}

}  // namespace

const RecordLock* LockTable::ConflictLocked(const LockOwner& owner, const RecordRange& range,
                                            bool exclusive) const {
  for (const RecordLock& lock : records_) {
    if (!lock.range.Meets(range) || lock.owner == owner) continue;
    if (exclusive || lock.exclusive) return &lock;
  }
  return nullptr;
}

bool LockTable::CutLocked(const LockOwner& owner, const RecordRange& range) {
  std::vector<RecordLock> remains;
  size_t removed = std::erase_if(records_, [&](const RecordLock& lock) {
    if (!(lock.owner == owner) || !lock.range.Meets(range)) return false;
    if (lock.range.start < range.start) {
      RecordLock left = lock;
      left.range.end = range.start - 1;
      remains.push_back(left);
    }
    if (lock.range.end > range.end) {
      RecordLock right = lock;
      right.range.start = range.end + 1;
      remains.push_back(right);
    }
    return true;
  });
  for (const RecordLock& lock : remains) InsertLocked(lock);
  return removed > 0;
}

// Keeps the list sorted by start, and joins what touches and is alike.
void LockTable::InsertLocked(RecordLock lock) {
  std::erase_if(records_, [&](const RecordLock& other) {
    if (!(other.owner == lock.owner) || other.exclusive != lock.exclusive) return false;
    bool touches = other.range.Meets(lock.range) || other.range.end + 1 == lock.range.start ||
                   lock.range.end + 1 == other.range.start;
    if (!touches) return false;
    lock.range.start = std::min(lock.range.start, other.range.start);
    lock.range.end = std::max(lock.range.end, other.range.end);
    return true;
  });
  auto after = std::find_if(records_.begin(), records_.end(), [&](const RecordLock& other) {
    return other.range.start > lock.range.start;
  });
  records_.insert(after, lock);
}

Result<void> LockTable::SetRecord(const LockOwner& owner, const RecordRange& range,
                                  bool exclusive) {
  bool went;
  {
    MutexLock lock(&mu_);
    if (ConflictLocked(owner, range, exclusive)) return Errno(EAGAIN);
    if (records_.size() + 2 > kMaxRecords) return Errno(ENOLCK);
    went = CutLocked(owner, range);
    InsertLocked(RecordLock{.owner = owner, .range = range, .exclusive = exclusive});
  }
  // What was exclusive may be shared now.
  if (went && !exclusive) wait_queue_.Wake(EPOLLOUT);
  return {};
}

Result<void> LockTable::ClearRecord(const LockOwner& owner, const RecordRange& range) {
  bool went;
  {
    MutexLock lock(&mu_);
    if (records_.size() + 1 > kMaxRecords) {
      // Cutting a hole would make one more; what needs no hole always goes.
      bool splits = std::any_of(records_.begin(), records_.end(), [&](const RecordLock& held) {
        return held.owner == owner && held.range.start < range.start && held.range.end > range.end;
      });
      if (splits) return Errno(ENOLCK);
    }
    went = CutLocked(owner, range);
  }
  if (went) wait_queue_.Wake(EPOLLOUT);
  return {};
}

std::optional<RecordLock> LockTable::FindConflict(const LockOwner& owner, const RecordRange& range,
                                                  bool exclusive) {
  MutexLock lock(&mu_);
  const RecordLock* conflict = ConflictLocked(owner, range, exclusive);
  if (!conflict) return std::nullopt;
  return *conflict;
}

Result<void> LockTable::BeginWait(int32_t tgid, const RecordRange& range, bool exclusive) {
  std::optional<RecordLock> conflict = FindConflict(LockOwner::Process(tgid), range, exclusive);
  if (!conflict || conflict->owner.description) return {};
  WaitGraph& graph = Graph();
  MutexLock lock(&graph.mu);
  int32_t holder = conflict->owner.tgid;
  for (int steps = 0; steps < kMaxChain; ++steps) {
    if (holder == tgid) return Errno(EDEADLK);
    auto next = graph.holder_by_waiter.find(holder);
    if (next == graph.holder_by_waiter.end()) break;
    holder = next->second;
  }
  graph.holder_by_waiter[tgid] = conflict->owner.tgid;
  return {};
}

void LockTable::EndWait(int32_t tgid) {
  MutexLock lock(&Graph().mu);
  Graph().holder_by_waiter.erase(tgid);
}

Result<void> LockTable::SetFlock(const FileDescription& file, bool exclusive) {
  bool went;
  bool conflict;
  {
    MutexLock lock(&mu_);
    for (const Flock& held : flocks_) {
      if (held.file == &file && held.exclusive == exclusive) return {};
    }
    went = std::erase_if(flocks_, [&](const Flock& held) { return held.file == &file; }) > 0;
    conflict = std::any_of(flocks_.begin(), flocks_.end(),
                           [&](const Flock& held) { return exclusive || held.exclusive; });
    if (!conflict) flocks_.push_back({.file = &file, .exclusive = exclusive});
  }
  if (went) wait_queue_.Wake(EPOLLOUT);
  if (conflict) return Errno(EAGAIN);
  return {};
}

void LockTable::ClearFlock(const FileDescription& file) {
  size_t went;
  {
    MutexLock lock(&mu_);
    went = std::erase_if(flocks_, [&](const Flock& held) { return held.file == &file; });
  }
  if (went > 0) wait_queue_.Wake(EPOLLOUT);
}

void LockTable::ReleaseProcess(int32_t tgid) {
  (void)ClearRecord(LockOwner::Process(tgid), RecordRange{});
}

void LockTable::ReleaseDescription(const FileDescription& file) {
  (void)ClearRecord(LockOwner::OpenFile(file), RecordRange{});
  ClearFlock(file);
}

std::vector<RecordLock> LockTable::Records() {
  MutexLock lock(&mu_);
  return records_;
}

}  // namespace redoubt::vfs
