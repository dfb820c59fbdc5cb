// SPDX-License-Identifier: Apache-2.0
#include "gofer/protocol/channel.h"

#include <sched.h>

#include <algorithm>

#include "base/host/unix_socket.h"
#include "base/log.h"

namespace redoubt::gofer {

Channel::Channel(OwnedFd socket)
    : socket_(std::move(socket)),
      buffer_(std::make_unique_for_overwrite<std::array<std::byte, kMostMessageBytes>>()) {}

Result<void> Channel::Call(Exchange* exchange) {
  exchange->fd.Reset();
  MutexLock lock(&mu_);
  if (broken()) return Errno(EIO);
  TakeReleased(&exchange->request);
  exchange->request.set_sequence(++sequence_);
  exchange->request.set_cpu(static_cast<uint32_t>(sched_getcpu() + 1));
  size_t size = TRY(Encode(exchange->request, *buffer_));
  Result<void> result = ExchangeLocked(size, exchange);
  if (!result.ok()) {
    broken_.store(true, std::memory_order_relaxed);
    LOG(Error, "lost the gofer: errno %d", result.error().value());
    return Errno(EIO);
  }
  if (exchange->response.error() == 0) return {};
  exchange->fd.Reset();
  return Errno(static_cast<int>(exchange->response.error()));
}

Result<void> Channel::ExchangeLocked(size_t size, Exchange* exchange) {
  TRY(host::SendMessage(socket_.get(), std::span(*buffer_).first(size)));
  host::ReceivedMessage message = TRY(host::ReceiveMessage(socket_.get(), *buffer_, 1));
  if (message.size == 0) return Errno(EPIPE);
  TRY(DecodeResponse(std::span(*buffer_).first(message.size), &exchange->response));
  if (exchange->response.sequence() != sequence_) return Errno(EBADMSG);
  exchange->fd = std::move(message.fds[0]);
  // Our own table is full: this call fails, the channel is sound.
  if (message.fds_lost) exchange->response.set_error(EMFILE);
  return {};
}

uint64_t Channel::calls() {
  MutexLock lock(&mu_);
  return sequence_;
}

void Channel::Release(uint64_t handle) {
  MutexLock lock(&released_mu_);
  released_.push_back(handle);
}

void Channel::TakeReleased(Request* request) {
  MutexLock lock(&released_mu_);
  size_t count = std::min<size_t>(released_.size(), kMostReleased);
  request->mutable_released()->Add(released_.end() - static_cast<ptrdiff_t>(count),
                                   released_.end());
  released_.resize(released_.size() - count);
}

}  // namespace redoubt::gofer
