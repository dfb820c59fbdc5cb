// SPDX-License-Identifier: Apache-2.0
//
// Endpoint: what of a netlink socket others can reach (Linux's struct netlink_sock): its port, its
// groups, its queue, and the dump that is under way.
//
// A dump is made piece by piece: a receive that leaves room makes the next piece, so a table of any
// length needs no more of our memory than the queue may hold (besides the snapshot it is made of).
// What does not fit into the queue is dropped, and the next receive says ENOBUFS.
//
// References are held by its socket, by the port table until the socket closes, and by whoever
// delivers to it. Locks: mu_ (kSocket); dumps are made under it.
#ifndef SENTRY_SOCKET_NETLINK_ENDPOINT_H_
#define SENTRY_SOCKET_NETLINK_ENDPOINT_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "abi/linux/socket.h"
#include "base/ref_counted.h"
#include "base/sync/mutex.h"
#include "base/sync/wait_queue.h"
#include "sentry/socket/netlink/message.h"

namespace redoubt::netlink {

// One datagram: a message or several.
struct Datagram {
  std::shared_ptr<const Bytes> data;
  uint32_t sender_port = 0;
  uint32_t group = 0;  // 1...; 0: unicast.
  abi::SocketCredentials credentials = {};
};

// Gives the next message of a dump, with NLM_F_MULTI, or nothing at its end. Runs under a socket's
// lock: reads what it captured.
using DumpStep = std::function<std::optional<Bytes>()>;

// What NLMSG_DONE says.
struct DumpEnd {
  int error = 0;
  std::string_view sentence = {};  // A literal, for NETLINK_EXT_ACK.
};

class Endpoint : public RefCounted<Endpoint> {
 public:
  explicit Endpoint(int protocol) : protocol_(protocol) {}

  int protocol() const { return protocol_; }
  uint32_t port() const { return port_.load(std::memory_order_acquire); }
  // By the port table, once.
  void SetPort(uint32_t port) { port_.store(port, std::memory_order_release); }

  // Groups 1 to 64, as bits from 0 on.
  std::atomic<uint64_t>& groups() { return groups_; }
  bool IsMember(uint32_t group) const {
    return (groups_.load(std::memory_order_acquire) >> (group - 1) & 1) != 0;
  }
  std::atomic<size_t>& receive_limit() { return receive_limit_; }
  std::atomic<bool>& no_overrun_error() { return no_overrun_error_; }
  std::atomic<uint64_t>& inode_number() { return inode_number_; }

  // EAGAIN: the queue is full. From the kernel, the datagram is lost and the owner told.
  Result<void> Deliver(Datagram datagram, bool from_kernel);
  // EBUSY: another one is under way. `sequence` is the request's.
  Result<void> StartDump(DumpStep step, uint32_t sequence, DumpEnd end = {});

  // The first datagram; `peek` leaves it there. EAGAIN, or a pending error.
  Result<Datagram> Receive(bool peek, size_t buffer_size);

  EventMask Readiness(EventMask mask);
  WaitQueue& wait_queue() { return wait_queue_; }
  int TakeError();
  void Close();

  // For /proc/net/netlink and netlink_diag.
  struct Status {
    size_t queued_bytes = 0;
    uint64_t drops = 0;
    bool dumping = false;
  };
  Status GetStatus();

 private:
  struct Dump {
    DumpStep step;
    uint32_t sequence = 0;
    std::optional<Bytes> pending;  // Did not fit into the last piece.
    DumpEnd end;
  };

  void PushLocked(Datagram datagram) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OverrunLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Makes one more piece if there is room.
  void ContinueDumpLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool HasRoomLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int protocol_;
  std::atomic<uint32_t> port_{0};
  std::atomic<uint64_t> groups_{0};
  std::atomic<size_t> receive_limit_{212992};
  std::atomic<bool> no_overrun_error_{false};
  std::atomic<uint64_t> inode_number_{0};
  WaitQueue wait_queue_;

  Mutex<LockRank::kSocket> mu_;
  std::deque<Datagram> queue_ ABSL_GUARDED_BY(mu_);
  size_t queued_ ABSL_GUARDED_BY(mu_) = 0;  // Charged.
  int error_ ABSL_GUARDED_BY(mu_) = 0;
  bool congested_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t drops_ ABSL_GUARDED_BY(mu_) = 0;
  size_t largest_receive_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<Dump> dump_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_ENDPOINT_H_
