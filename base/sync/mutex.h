// SPDX-License-Identifier: Apache-2.0
//
// Mutex<LockRank::kX>: absl::Mutex with a rank. In builds with REDOUBT_LOCK_RANKS (debug, asan,
// tsan and the unit tests' default) taking a lock against the ladder ends the process.
//
//   class Pipe {
//     Mutex<LockRank::kPipe> mu_;
//     size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
//   };
//   MutexLock lock(&pipe.mu_);
#ifndef BASE_SYNC_MUTEX_H_
#define BASE_SYNC_MUTEX_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/sync/lock_rank.h"

namespace redoubt {

namespace internal {
#ifdef REDOUBT_LOCK_RANKS
// Each thread's held ranks as bits (rank / 5).
void LockRankAcquire(LockRank rank);
void LockRankRelease(LockRank rank);
#else
inline void LockRankAcquire(LockRank) {}
inline void LockRankRelease(LockRank) {}
#endif
}  // namespace internal

// Same-rank nesting is allowed only for ranks whose ladder comment gives an order; see
// LockRankAcquire.
template <LockRank kRank>
class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    internal::LockRankAcquire(kRank);
    mu_.Lock();
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    mu_.Unlock();
    internal::LockRankRelease(kRank);
  }
  void ReaderLock() ABSL_SHARED_LOCK_FUNCTION() {
    internal::LockRankAcquire(kRank);
    mu_.ReaderLock();
  }
  void ReaderUnlock() ABSL_UNLOCK_FUNCTION() {
    mu_.ReaderUnlock();
    internal::LockRankRelease(kRank);
  }
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() { mu_.AssertHeld(); }
  // For absl::CondVar::Wait.
  absl::Mutex* raw() { return &mu_; }

 private:
  absl::Mutex mu_;
};

template <typename M>
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(M* mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) { mu_->Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mu_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  M* mu_;
};

template <typename M>
class ABSL_SCOPED_LOCKABLE ReaderMutexLock {
 public:
  explicit ReaderMutexLock(M* mu) ABSL_SHARED_LOCK_FUNCTION(mu) : mu_(mu) { mu_->ReaderLock(); }
  ~ReaderMutexLock() ABSL_UNLOCK_FUNCTION() { mu_->ReaderUnlock(); }
  ReaderMutexLock(const ReaderMutexLock&) = delete;
  ReaderMutexLock& operator=(const ReaderMutexLock&) = delete;

 private:
  M* mu_;
};

}  // namespace redoubt

#endif  // BASE_SYNC_MUTEX_H_
