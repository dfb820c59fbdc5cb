// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/eventfd/eventfd.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "sentry/fs/anon/anonymous_inode.h"

namespace redoubt::fs {

namespace {
constexpr uint64_t kCountOverflow = ~uint64_t{0};     // Only a kernel-side signal gets there.
constexpr uint64_t kCountLimit = kCountOverflow - 1;  // A write waits rather than pass this.
}  // namespace

Result<RefPtr<EventFd>> EventFd::Create(uint32_t initial, uint32_t flags) {
  if ((flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK)) != 0) return Errno(EINVAL);
  vfs::Path path = MakeAnonymousPath(AnonymousKind::kAnonymous, "eventfd", 0600, 0, 0);
  return MakeRef<EventFd>(std::move(path), O_RDWR | (flags & EFD_NONBLOCK), initial,
                          (flags & EFD_SEMAPHORE) != 0);
}

EventFd::EventFd(vfs::Path path, uint32_t flags, uint64_t count, bool semaphore)
    : FileDescription(std::move(path), flags), count_(count), semaphore_(semaphore) {}

Result<size_t> EventFd::Read(std::span<std::byte> buffer) {
  if (buffer.size() < sizeof(uint64_t)) return Errno(EINVAL);
  uint64_t value = 0;
  {
    MutexLock lock(&count_mu_);
    if (count_ == 0) return Errno(EAGAIN);
    value = semaphore_ ? 1 : count_;
    count_ -= value;
  }
  wait_queue_.Wake(EPOLLOUT | EPOLLWRNORM);
  std::memcpy(buffer.data(), &value, sizeof(value));
  return sizeof(value);
}

Result<size_t> EventFd::Write(std::span<const std::byte> data, const vfs::Caller& caller) {
  if (data.size() < sizeof(uint64_t)) return Errno(EINVAL);
  uint64_t value = 0;
  std::memcpy(&value, data.data(), sizeof(value));
  if (value == kCountOverflow) return Errno(EINVAL);
  {
    MutexLock lock(&count_mu_);
    if (count_ > kCountLimit || value > kCountLimit - count_) return Errno(EAGAIN);
    count_ += value;
  }
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
  return sizeof(value);
}

EventMask EventFd::Readiness(EventMask mask) {
  MutexLock lock(&count_mu_);
  EventMask events = 0;
  if (count_ > 0) events |= EPOLLIN;
  if (count_ == kCountOverflow) events |= EPOLLERR;
  if (count_ < kCountLimit) events |= EPOLLOUT;
  return events & (mask | EPOLLERR | EPOLLHUP);
}

void EventFd::Signal(uint64_t amount) {
  {
    MutexLock lock(&count_mu_);
    count_ += std::min(amount, kCountOverflow - count_);
  }
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
}

}  // namespace redoubt::fs
