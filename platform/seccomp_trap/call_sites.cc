// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/call_sites.h"

#include <algorithm>

namespace redoubt::platform::seccomp_trap {

bool CallSites::CountTrap(uint64_t address) {
  MutexLock lock(&mu_);
  if (off_) return false;
  Site& site = sites_[(address ^ address >> 6 ^ address >> 12) % sites_.size()];
  if (site.address != address) site = {.address = address};
  return ++site.traps == kHotCalls;
}

void CallSites::AddShared(uint64_t start, uint64_t end) {
  MutexLock lock(&mu_);
  if (shared_.size() < kMaxShared) {
    shared_.push_back({start, end});
  } else {
    off_ = true;
  }
}

void CallSites::Moved(uint64_t start, uint64_t end) {
  MutexLock lock(&mu_);
  off_ = off_ || OverlapsSharedLocked(start, end);
}

bool CallSites::MayPatch(uint64_t start, uint64_t end) {
  MutexLock lock(&mu_);
  return !off_ && !OverlapsSharedLocked(start, end);
}

void CallSites::CopyFrom(CallSites& parent) {
  std::vector<Range> shared;
  bool off;
  {
    MutexLock lock(&parent.mu_);
    shared = parent.shared_;
    off = parent.off_;
  }
  MutexLock lock(&mu_);
  shared_ = std::move(shared);
  off_ = off;
}

bool CallSites::OverlapsSharedLocked(uint64_t start, uint64_t end) {
  return std::any_of(shared_.begin(), shared_.end(),
                     [&](const Range& range) { return start < range.end && range.start < end; });
}

}  // namespace redoubt::platform::seccomp_trap
