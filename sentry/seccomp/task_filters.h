// SPDX-License-Identifier: Apache-2.0
//
// TaskFilters: the seccomp state of one task (struct seccomp of Linux): its mode and its head
// filter. Its own thread reads without a lock, at each call; another thread may add a filter
// (SECCOMP_FILTER_FLAG_TSYNC), and readers of /proc look on.
#ifndef SENTRY_SECCOMP_TASK_FILTERS_H_
#define SENTRY_SECCOMP_TASK_FILTERS_H_

#include <linux/seccomp.h>

#include <atomic>

#include "base/sync/mutex.h"
#include "sentry/seccomp/filter.h"

namespace redoubt::seccomp {

class TaskFilters {
 public:
  // Whether a call must be looked at: one load.
  bool active() const { return mode_.load(std::memory_order_relaxed) != SECCOMP_MODE_DISABLED; }
  int mode() const { return mode_.load(std::memory_order_acquire); }

  // The head, for the task's own thread: it lives as long as the task does.
  const Filter* head() const { return head_.load(std::memory_order_acquire); }
  // The same for others.
  RefPtr<const Filter> Share() const {
    MutexLock lock(&mu_);
    return owned_;
  }

  void SetStrict() { mode_.store(SECCOMP_MODE_STRICT, std::memory_order_release); }
  // `filter` descends from the present head, so that a reader of head() is never left without.
  void SetHead(RefPtr<const Filter> filter) {
    MutexLock lock(&mu_);
    head_.store(filter.get(), std::memory_order_release);
    owned_ = std::move(filter);  // The old one lives on in its descendant.
    mode_.store(SECCOMP_MODE_FILTER, std::memory_order_release);
  }

 private:
  std::atomic<int> mode_{SECCOMP_MODE_DISABLED};
  std::atomic<const Filter*> head_{nullptr};
  mutable Mutex<LockRank::kLeaf> mu_;
  RefPtr<const Filter> owned_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::seccomp

#endif  // SENTRY_SECCOMP_TASK_FILTERS_H_
