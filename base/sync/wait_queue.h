// SPDX-License-Identifier: Apache-2.0
//
// WaitQueue: who wants to hear that an object became ready. poll, epoll and blocked tasks add
// entries; the object calls Wake() with what has become possible. Readiness itself is never stored
// here: whoever is woken asks the object again (level, not edge), so a spurious wake is harmless
// and a lost one a bug. Add first, then check readiness, then sleep.
#ifndef BASE_SYNC_WAIT_QUEUE_H_
#define BASE_SYNC_WAIT_QUEUE_H_

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>

#include "base/sync/mutex.h"

namespace redoubt {

// EPOLLIN, EPOLLOUT ... ; poll(2) has the same values.
using EventMask = uint32_t;
inline constexpr EventMask kReadableEvents =
    EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
inline constexpr EventMask kWritableEvents = EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLERR;

class WaitQueue;

// One wish to be told. An entry sits in at most one queue; its owner removes it before it dies.
class WaitEntry {
 public:
  WaitEntry() = default;
  WaitEntry(const WaitEntry&) = delete;
  WaitEntry& operator=(const WaitEntry&) = delete;
  virtual ~WaitEntry();

  // Runs under the queue's lock, on any thread: may set flags, take locks below kWaitQueue in the
  // ladder and wake other queues; must not block or touch the queue it came from.
  virtual void Notify(EventMask events) = 0;

 private:
  friend class WaitQueue;
  WaitQueue* queue_ = nullptr;
  EventMask mask_ = 0;
  WaitEntry* previous_ = nullptr;
  WaitEntry* next_ = nullptr;
};

class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  ~WaitQueue();

  // `entry` hears of events in `mask`; EPOLLHUP and EPOLLERR always.
  void Add(WaitEntry* entry, EventMask mask);
  // No Notify() of `entry` runs after this. No-op for an entry that is in no queue.
  void Remove(WaitEntry* entry);
  // Notifies all entries whose mask meets `events`.
  void Wake(EventMask events);
  // Whether anybody waits. Sequentially consistent: true for whoever comes after an Add().
  bool HasWaiters() const { return size_.load(std::memory_order_seq_cst) != 0; }

 private:
  Mutex<LockRank::kWaitQueue> mu_;
  WaitEntry* first_ ABSL_GUARDED_BY(mu_) = nullptr;
  WaitEntry* last_ ABSL_GUARDED_BY(mu_) = nullptr;
  // Read without the lock so that Wake() of a queue that nobody waits on costs one load.
  std::atomic<int> size_{0};
};

}  // namespace redoubt

#endif  // BASE_SYNC_WAIT_QUEUE_H_
