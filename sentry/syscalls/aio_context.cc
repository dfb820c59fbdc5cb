// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/aio_context.h"

#include <algorithm>

namespace redoubt::syscalls {

namespace {

std::atomic<uint32_t> g_requests{0};

}  // namespace

Result<RefPtr<AioContext>> AioContext::Create(uint32_t requests) {
  uint32_t used = g_requests.load(std::memory_order_relaxed);
  do {
    if (requests > kAioMaxRequests - used) return Errno(EAGAIN);
  } while (!g_requests.compare_exchange_weak(used, used + requests, std::memory_order_relaxed));
  return MakeRef<AioContext>(requests);
}

AioContext::~AioContext() { g_requests.fetch_sub(requests_, std::memory_order_relaxed); }

// Linux rounds up as well: to whole pages of its ring.
size_t AioContext::Capacity() const { return std::max<size_t>(requests_, 8) * 2; }

Result<void> AioContext::Begin() {
  MutexLock lock(&mu_);
  if (destroyed_) return Errno(EINVAL);
  if (events_.size() + begun_ >= Capacity()) return Errno(EAGAIN);
  ++begun_;
  return {};
}

void AioContext::Abandon() {
  MutexLock lock(&mu_);
  --begun_;
}

void AioContext::Finish(const io_event& event) {
  {
    MutexLock lock(&mu_);
    --begun_;
    events_.push_back(event);
  }
  wait_queue_.Wake(EPOLLIN);
}

Result<io_event> AioContext::Take() {
  MutexLock lock(&mu_);
  if (destroyed_) return Errno(EINVAL);
  if (events_.empty()) return Errno(EAGAIN);
  io_event event = events_.front();
  events_.pop_front();
  return event;
}

size_t AioContext::ready() {
  MutexLock lock(&mu_);
  return events_.size();
}

void AioContext::Destroy() {
  {
    MutexLock lock(&mu_);
    destroyed_ = true;
  }
  wait_queue_.Wake(EPOLLIN | EPOLLHUP);
}

}  // namespace redoubt::syscalls
