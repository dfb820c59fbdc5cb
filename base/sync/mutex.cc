// SPDX-License-Identifier: Apache-2.0
#include "base/sync/mutex.h"

#include "base/check.h"

namespace redoubt::internal {

#ifdef REDOUBT_LOCK_RANKS

namespace {

// The ranks this thread holds, outermost first.
thread_local LockRank t_deepest[64];
thread_local int t_depth = 0;

// Ranks whose locks nest among themselves in an order of their own (see the ladder).
bool MayNest(LockRank rank) {
  return rank == LockRank::kEpoll || rank == LockRank::kSocket || rank == LockRank::kInode ||
         rank == LockRank::kSuperblock || rank == LockRank::kWaitQueue || rank == LockRank::kLeaf;
}

}  // namespace

void LockRankAcquire(LockRank rank) {
  if (t_depth > 0) {
    LockRank top = t_deepest[t_depth - 1];
    CHECK(top < rank || (top == rank && MayNest(rank)));
  }
  CHECK(t_depth < 64);
  t_deepest[t_depth++] = rank;
}

void LockRankRelease(LockRank rank) {
  // Locks may be released in any order; take the newest of this rank out.
  for (int i = t_depth - 1; i >= 0; --i) {
    if (t_deepest[i] != rank) continue;
    for (int j = i; j + 1 < t_depth; ++j) t_deepest[j] = t_deepest[j + 1];
    --t_depth;
    return;
  }
  UNREACHABLE();
}

#endif

}  // namespace redoubt::internal
