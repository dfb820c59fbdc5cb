// SPDX-License-Identifier: Apache-2.0
#include "base/sync/wait_queue.h"

#include "base/check.h"

namespace redoubt {

WaitEntry::~WaitEntry() { CHECK(queue_ == nullptr); }

WaitQueue::~WaitQueue() { CHECK(size_.load(std::memory_order_relaxed) == 0); }

void WaitQueue::Add(WaitEntry* entry, EventMask mask) {
  MutexLock lock(&mu_);
  CHECK(entry->queue_ == nullptr);
  entry->queue_ = this;
  entry->mask_ = mask | EPOLLHUP | EPOLLERR;
  entry->previous_ = last_;
  entry->next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = entry;
  last_ = entry;
  // Sequentially consistent with Wake()'s load: the caller checks readiness after Add, the object
  // calls Wake after it became ready; one of them sees the other.
  size_.fetch_add(1, std::memory_order_seq_cst);
}

void WaitQueue::Remove(WaitEntry* entry) {
  MutexLock lock(&mu_);
  if (entry->queue_ != this) return;
  (entry->previous_ != nullptr ? entry->previous_->next_ : first_) = entry->next_;
  (entry->next_ != nullptr ? entry->next_->previous_ : last_) = entry->previous_;
  entry->queue_ = nullptr;
  size_.fetch_sub(1, std::memory_order_relaxed);
}

void WaitQueue::Wake(EventMask events) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (size_.load(std::memory_order_relaxed) == 0) return;
  MutexLock lock(&mu_);
  for (WaitEntry* entry = first_; entry != nullptr; entry = entry->next_) {
    if ((entry->mask_ & events) != 0) entry->Notify(events);
  }
}

}  // namespace redoubt
