// SPDX-License-Identifier: Apache-2.0
//
// Budget: how much of something (pages, inodes) a tmpfs may use, as size= and nr_inodes= say.
#ifndef SENTRY_FS_TMPFS_BUDGET_H_
#define SENTRY_FS_TMPFS_BUDGET_H_

#include <atomic>
#include <cstdint>
#include <limits>

namespace redoubt::tmpfs {

class Budget {
 public:
  static constexpr uint64_t kUnlimited = std::numeric_limits<int64_t>::max();
  explicit Budget(uint64_t limit) : limit_(limit) {}

  // Takes `count`, or nothing and gives false.
  bool Charge(uint64_t count) {
    uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (used + count > limit_ || used + count < used) return false;
    } while (!used_.compare_exchange_weak(used, used + count, std::memory_order_relaxed));
    return true;
  }
  // Takes `count` whatever the limit: for what has happened already, behind the sentry's back.
  void ForceCharge(uint64_t count) { used_.fetch_add(count, std::memory_order_relaxed); }
  void Uncharge(uint64_t count) { used_.fetch_sub(count, std::memory_order_relaxed); }

  uint64_t limit() const { return limit_; }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t free() const { return used() < limit_ ? limit_ - used() : 0; }

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_{0};
};

}  // namespace redoubt::tmpfs

#endif  // SENTRY_FS_TMPFS_BUDGET_H_
