// SPDX-License-Identifier: Apache-2.0
//
// Channel: the sentry's end of the socket to a gofer. A call sends one Request and waits for its
// Response; calls of several threads take turns under one lock. (The gofer is one thread: it works
// on a request for a microsecond or two, so more requests in flight would gain nothing but states.
// File data does not come this way.)
//
//   Channel channel(std::move(socket));
//   Exchange exchange;
//   exchange.request.mutable_walk()->set_directory(handle);
//   TRY(channel.Call(&exchange));                            // The host's errno, or the channel's.
//   use(exchange.response.nodes());
//
// When the gofer is gone, answers out of turn or sends what is no Response, the channel is broken:
// this call and all later ones give EIO.
#ifndef GOFER_PROTOCOL_CHANNEL_H_
#define GOFER_PROTOCOL_CHANNEL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/owned_fd.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "gofer/protocol/gofer.pb.h"
#include "gofer/protocol/validate.h"

namespace redoubt::gofer {

struct Exchange {
  Request request;
  Response response;
  OwnedFd fd;  // That came with the response.
};

class Channel {
 public:
  explicit Channel(OwnedFd socket);

  Result<void> Call(Exchange* exchange);

  // Tells the gofer, with one of the next requests, that `handle` is no longer used. Never waits.
  void Release(uint64_t handle);

  // How many calls were made so far.
  uint64_t calls();

  bool broken() const { return broken_.load(std::memory_order_relaxed); }
  int socket() const { return socket_.get(); }

 private:
  // Sends the `size` bytes of the encoded request and waits. An error breaks the channel.
  Result<void> ExchangeLocked(size_t size, Exchange* exchange) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeReleased(Request* request);

  const OwnedFd socket_;
  std::atomic<bool> broken_{false};
  Mutex<LockRank::kChannel> mu_;
  uint64_t sequence_ ABSL_GUARDED_BY(mu_) = 0;
  const std::unique_ptr<std::array<std::byte, kMostMessageBytes>> buffer_ ABSL_PT_GUARDED_BY(mu_);
  Mutex<LockRank::kLeaf> released_mu_;
  std::vector<uint64_t> released_ ABSL_GUARDED_BY(released_mu_);
};

}  // namespace redoubt::gofer

#endif  // GOFER_PROTOCOL_CHANNEL_H_
