// SPDX-License-Identifier: Apache-2.0
//
// HostPoller: one thread that waits, by epoll(7), for host descriptors on which a guest waits.
//
// A source is armed for one event and disarmed by it (EPOLLONESHOT), so a descriptor that stays
// ready costs nothing while nobody waits. Who is woken asks again, and arms again if need be.
#ifndef SENTRY_FS_HOST_HOST_POLLER_H_
#define SENTRY_FS_HOST_HOST_POLLER_H_

#include <cstdint>
#include <memory>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "base/sync/wait_queue.h"

namespace redoubt::fs {

class HostPoller {
 public:
  // One polled descriptor.
  class Source {
   public:
    virtual ~Source() = default;
    // On the poller's thread, under mu_: may only wake.
    virtual void OnHostEvents(EventMask events) = 0;
  };

  // Opens its descriptors and starts the thread.
  static absl::StatusOr<std::unique_ptr<HostPoller>> Create();
  // Ends the thread. No source may be left.
  ~HostPoller();

  // OnHostEvents() is called once when one of `events` has come (maybe already). Adds to what is
  // armed. EPERM for descriptors that cannot be polled.
  Result<void> Arm(int fd, Source* source, EventMask events);
  // No call of `source` runs after this. No-op when it was never armed.
  void Remove(int fd, Source* source);

 private:
  struct Registration {
    Source* source = nullptr;
    int fd = -1;
    EventMask armed = 0;
  };

  HostPoller(OwnedFd epoll, OwnedFd stop);
  void Run();
  void Deliver(uint64_t id, EventMask events);

  const OwnedFd epoll_;
  const OwnedFd stop_;  // An eventfd.
  Mutex<LockRank::kTimers> mu_;
  // By an id of their own, never used twice: an event that was fetched before Remove() finds
  // nobody.
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
  absl::flat_hash_map<uint64_t, Registration> registrations_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Source*, uint64_t> ids_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_HOST_HOST_POLLER_H_
