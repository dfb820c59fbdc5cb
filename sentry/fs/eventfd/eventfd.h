// SPDX-License-Identifier: Apache-2.0
//
// eventfd(2): a counter that is read and written (Linux's fs/eventfd.c).
#ifndef SENTRY_FS_EVENTFD_EVENTFD_H_
#define SENTRY_FS_EVENTFD_EVENTFD_H_

#include <cstdint>

#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

class EventFd : public vfs::FileDescription {
 public:
  // `flags` as given to eventfd2(2): EINVAL for unknown ones; EFD_CLOEXEC is the caller's.
  static Result<RefPtr<EventFd>> Create(uint32_t initial, uint32_t flags);
  EventFd(vfs::Path path, uint32_t flags, uint64_t count, bool semaphore);

  Result<size_t> Read(std::span<std::byte> buffer) override;
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override;
  size_t atomic_size() const override { return sizeof(uint64_t); }
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override { return &wait_queue_; }

  // Adds to the counter as a kernel-side signal does; saturates (EPOLLERR then).
  void Signal(uint64_t amount);

 private:
  WaitQueue wait_queue_;
  Mutex<LockRank::kPipe> count_mu_;
  uint64_t count_ ABSL_GUARDED_BY(count_mu_);
  const bool semaphore_;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_EVENTFD_EVENTFD_H_
