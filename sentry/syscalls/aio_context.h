// SPDX-License-Identifier: Apache-2.0
//
// AioContext: what io_setup(2) makes (Linux's fs/aio.c): events of finished requests, waiting to be
// taken. Requests are served while they are submitted, as Linux serves those on files that it can
// only do so: a context never has a request in flight.
//
// A context is found by the address of a page in the guest that is mapped for it, and goes when that
// is unmapped, or with the address space; a child has none. libaio looks into that page for a ring
// of events, finds none and asks the kernel.
#ifndef SENTRY_SYSCALLS_AIO_CONTEXT_H_
#define SENTRY_SYSCALLS_AIO_CONTEXT_H_

#include <linux/aio_abi.h>

#include <atomic>
#include <cstdint>
#include <deque>

#include "base/result.h"
#include "base/sync/mutex.h"
#include "base/sync/wait_queue.h"
#include "sentry/mm/memory_map.h"

namespace redoubt::syscalls {

inline constexpr uint32_t kAioMaxRequests = 65536;  // /proc/sys/fs/aio-max-nr

// References are held by the address space and by calls.
class AioContext : public mm::Attachment {
 public:
  // EAGAIN when all contexts of the sandbox together would have too many requests.
  static Result<RefPtr<AioContext>> Create(uint32_t requests);
  explicit AioContext(uint32_t requests) : requests_(requests) {}
  ~AioContext() override;
  RefPtr<mm::Attachment> ForFork() override { return nullptr; }

  // Room for one more event: EAGAIN when there is none. Each is followed by a Finish().
  Result<void> Begin();
  void Finish(const io_event& event);
  // A request that was refused after all.
  void Abandon();
  // The next event; EAGAIN when there is none, EINVAL when the context was destroyed.
  Result<io_event> Take();
  size_t ready();
  // io_destroy(2): sleepers wake.
  void Destroy();
  WaitQueue& wait_queue() { return wait_queue_; }

 private:
  size_t Capacity() const;

  const uint32_t requests_;
  WaitQueue wait_queue_;
  Mutex<LockRank::kPipe> mu_;
  std::deque<io_event> events_ ABSL_GUARDED_BY(mu_);
  size_t begun_ ABSL_GUARDED_BY(mu_) = 0;
  bool destroyed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_AIO_CONTEXT_H_
