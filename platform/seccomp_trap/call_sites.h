// SPDX-License-Identifier: Apache-2.0
//
// Which call sites of a guest process are worth patching, and which must never be.
//
// A site is hot when it has trapped kHotCalls times. Memory that other processes can see (shared
// mappings) is never patched: they would jump through tables of their own.
#ifndef PLATFORM_SECCOMP_TRAP_CALL_SITES_H_
#define PLATFORM_SECCOMP_TRAP_CALL_SITES_H_

#include <array>
#include <cstdint>
#include <vector>

#include "base/sync/mutex.h"

namespace redoubt::platform::seccomp_trap {

class CallSites {
 public:
  // Counts a trap of the call that ends at `address`; true once, when it has become hot.
  bool CountTrap(uint64_t address);
  // [start, end) is shared from now on.
  void AddShared(uint64_t start, uint64_t end);
  // Memory has moved: if some of it is shared, nothing is patched any more.
  void Moved(uint64_t start, uint64_t end);
  bool MayPatch(uint64_t start, uint64_t end);
  // A fork's child starts with its parent's knowledge.
  void CopyFrom(CallSites& parent);

 private:
  static constexpr uint32_t kHotCalls = 20;
  static constexpr size_t kMaxShared = 1000;
  struct Site {
    uint64_t address = 0;
    uint32_t traps = 0;
  };
  struct Range {
    uint64_t start, end;
  };

  bool OverlapsSharedLocked(uint64_t start, uint64_t end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex<LockRank::kLeaf> mu_;
  std::array<Site, 64> sites_ ABSL_GUARDED_BY(mu_);  // By hash; a newcomer replaces.
  std::vector<Range> shared_ ABSL_GUARDED_BY(mu_);
  bool off_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_CALL_SITES_H_
