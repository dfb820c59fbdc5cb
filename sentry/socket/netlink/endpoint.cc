// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/endpoint.h"

#include <algorithm>
#include <utility>

namespace redoubt::netlink {

namespace {

// What Linux charges besides the bytes: struct sk_buff and its shared info, about.
constexpr size_t kOverhead = 576;
// NLMSG_GOODSIZE, and the most that a larger receive buffer is taken for.
constexpr size_t kSmallPiece = 3776;
constexpr size_t kLargestPiece = 32768 - 320;

size_t Charge(const Datagram& datagram) { return datagram.data->size() + kOverhead; }

Bytes DoneMessage(uint32_t sequence, uint32_t port, const DumpEnd& end) {
  uint16_t flags = NLM_F_MULTI;
  if (!end.sentence.empty()) flags |= NLM_F_ACK_TLVS;
  MessageBuilder done(NLMSG_DONE, flags, sequence, port);
  done.PutHeader(int32_t{-end.error});
  if (!end.sentence.empty()) done.PutString(NLMSGERR_ATTR_MSG, end.sentence);
  return std::move(done).Finish();
}

}  // namespace

bool Endpoint::HasRoomLocked() const { return queued_ <= receive_limit_.load() && !congested_; }

void Endpoint::PushLocked(Datagram datagram) {
  queued_ += Charge(datagram);
  queue_.push_back(std::move(datagram));
}

// netlink_overrun().
void Endpoint::OverrunLocked() {
  ++drops_;
  if (no_overrun_error_.load(std::memory_order_relaxed) || congested_) return;
  congested_ = true;
  error_ = ENOBUFS;
}

Result<void> Endpoint::Deliver(Datagram datagram, bool from_kernel) {
  {
    MutexLock lock(&mu_);
    if (closed_) return Errno(ECONNREFUSED);
    if (!HasRoomLocked()) {
      if (!from_kernel) return Errno(EAGAIN);
      OverrunLocked();
    } else {
      PushLocked(std::move(datagram));
    }
  }
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
  return {};
}

Result<void> Endpoint::StartDump(DumpStep step, uint32_t sequence, DumpEnd end) {
  {
    MutexLock lock(&mu_);
    if (dump_) return Errno(EBUSY);
    dump_ =
        Dump{.step = std::move(step), .sequence = sequence, .pending = std::nullopt, .end = end};
    ContinueDumpLocked();
  }
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
  return {};
}

// netlink_dump(): one datagram, as large as the reader's buffers have been.
void Endpoint::ContinueDumpLocked() {
  if (!dump_ || queued_ > receive_limit_.load() / 2) return;
  size_t limit = std::clamp(largest_receive_, kSmallPiece, kLargestPiece);
  auto piece = std::make_shared<Bytes>();
  while (true) {
    std::optional<Bytes> next = std::exchange(dump_->pending, std::nullopt);
    if (!next) next = dump_->step();
    bool last = !next.has_value();
    if (last) next = DoneMessage(dump_->sequence, port(), dump_->end);
    if (!piece->empty() && piece->size() + next->size() > limit) {
      // The end is cheap to make again.
      if (!last) dump_->pending = std::move(next);
      if (last) dump_->step = [] { return std::nullopt; };
      break;
    }
    piece->insert(piece->end(), next->begin(), next->end());
    if (last) {
      dump_.reset();
      break;
    }
  }
  PushLocked({.data = std::move(piece)});
}

Result<Datagram> Endpoint::Receive(bool peek, size_t buffer_size) {
  MutexLock lock(&mu_);
  if (error_ != 0) return Errno(std::exchange(error_, 0));
  if (queue_.empty()) return Errno(EAGAIN);
  largest_receive_ = std::max(largest_receive_, buffer_size);
  if (peek) return queue_.front();
  Datagram result = std::move(queue_.front());
  queue_.pop_front();
  queued_ -= Charge(result);
  if (queue_.empty()) congested_ = false;
  ContinueDumpLocked();
  return result;
}

EventMask Endpoint::Readiness(EventMask mask) {
  MutexLock lock(&mu_);
  EventMask ready = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
  if (!queue_.empty()) ready |= EPOLLIN | EPOLLRDNORM;
  if (error_ != 0) ready |= EPOLLERR | EPOLLIN | EPOLLRDNORM;
  return ready & (mask | EPOLLERR | EPOLLHUP);
}

int Endpoint::TakeError() {
  MutexLock lock(&mu_);
  return std::exchange(error_, 0);
}

void Endpoint::Close() {
  std::deque<Datagram> queue;
  std::optional<Dump> dump;
  MutexLock lock(&mu_);
  closed_ = true;
  queue.swap(queue_);
  dump.swap(dump_);
  queued_ = 0;
}

Endpoint::Status Endpoint::GetStatus() {
  MutexLock lock(&mu_);
  return {.queued_bytes = queued_, .drops = drops_, .dumping = dump_.has_value()};
}

}  // namespace redoubt::netlink
