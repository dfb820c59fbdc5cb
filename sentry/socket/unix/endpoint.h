// SPDX-License-Identifier: Apache-2.0
//
// Endpoint: one end of unix-socket communication (Linux's struct unix_sock): its receive queue, its
// name, its peer. Sockets are separate from it because a message or a connection must not keep an
// open file alive: UnixSocket closes its endpoint when it goes.
//
// A message lies in the receiver's queue and is charged to the sender (in_flight_) until it is
// read, as on Linux: the sender's SO_SNDBUF bounds it. shutdown(2) and close(2) are mirrored to a
// connected stream's peer at once, so each endpoint decides from its own flags alone.
//
// References are held by its socket, its peer (until that closes), messages it sent, the listener's
// backlog, its name's inode or abstract entry (until it closes).
//
// Locks: mu_ (kSocket) is never held while another endpoint's is taken (but for one that nobody
// else knows yet), nor while files, wait queues or other endpoints are dropped or woken.
#ifndef SENTRY_SOCKET_UNIX_ENDPOINT_H_
#define SENTRY_SOCKET_UNIX_ENDPOINT_H_

#include <atomic>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/wait_queue.h"
#include "sentry/socket/socket.h"
#include "sentry/socket/unix/address.h"
#include "sentry/socket/unix/rights.h"
#include "sentry/socket/unix/unix.h"

namespace redoubt::sockets {

class Endpoint : public RefCounted<Endpoint> {
 public:
  explicit Endpoint(int type);
  ~Endpoint();

  // Both ends of a pair or a connection; neither is known to others yet, or both are locked out.
  static void Join(const RefPtr<Endpoint>& a, const RefPtr<Endpoint>& b);

  Result<void> Bind(const vfs::Caller& caller, const SocketAddress& address);
  Result<void> Connect(const vfs::Caller& caller, const SocketAddress& address);
  Result<void> Listen(const vfs::Caller& caller, int backlog);
  Result<RefPtr<Endpoint>> Accept();
  void Shutdown(bool read, bool write);
  // The socket goes: the queue is dropped, the peer hears of it.
  void Close() { Close(/*reset=*/false); }

  // `send_buffer`: SO_SNDBUF.
  Result<size_t> Send(SendRequest& request, size_t send_buffer);
  Result<ReceiveResult> Receive(const ReceiveRequest& request);
  // Puts bytes of a stream back to the front of the queue; charged to the peer once more.
  void Unread(std::span<const std::byte> data);

  EventMask Readiness(EventMask mask, size_t send_buffer);
  WaitQueue& wait_queue() { return wait_queue_; }

  int type() const { return type_; }
  SocketAddress Name();
  Result<SocketAddress> PeerName();
  abi::SocketCredentials PeerCredentials();
  void SetOwnCredentials(const vfs::Caller& caller);
  int TakeError();
  bool IsListening();
  size_t BytesReadable();  // SIOCINQ.
  size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  std::atomic<bool>& pass_credentials() { return pass_credentials_; }
  std::atomic<uint64_t>& inode_number() { return inode_number_; }
  std::atomic<uint32_t>& owner() { return owner_; }
  // The listener whose backlog this waits in, as a name only.
  const Endpoint* embryo_of() const { return embryo_of_.load(std::memory_order_relaxed); }
  UnixSocketInfo Info();

 private:
  enum class State : uint8_t { kUnconnected, kListening, kConnected, kClosed };
  struct Message {
    std::vector<std::byte> data;
    size_t offset = 0;  // Read so far, of a stream.
    Rights rights;
    abi::SocketCredentials credentials;
    RefPtr<Endpoint> sender;
    size_t charge = 0;
    size_t size() const { return data.size() - offset; }
  };

  bool IsStream() const { return type_ == SOCK_STREAM; }
  bool IsConnectionOriented() const { return type_ != SOCK_DGRAM; }

  // endpoint.cc
  Result<void> BindPath(const vfs::Caller& caller, const std::string& path);
  Result<void> BindAutomaticallyIfAsked();
  Result<void> ConnectDatagram(const vfs::Caller& caller, const SocketAddress& address);
  Result<void> ConnectStream(const vfs::Caller& caller, const SocketAddress& address);
  Result<void> JoinBacklog(const RefPtr<Endpoint>& listener, const vfs::Caller& caller);
  // `reset`: the peer gets ECONNRESET even if nothing was unread.
  void Close(bool reset);
  // Undoes a connection that its listener did not live to take.
  void Abandon();
  // What the peer of a connection that closes or shuts down is told.
  void PeerShutdown(bool read, bool write, bool reset);

  // endpoint_transfer.cc
  Result<RefPtr<Endpoint>> Destination(const SendRequest& request);
  Result<RefPtr<Endpoint>> ConnectedPeer(const SendRequest& request);
  Result<abi::SocketCredentials> CredentialsFor(const SendRequest& request);
  Result<size_t> SendStream(SendRequest& request, size_t send_buffer, Endpoint& to);
  Result<size_t> SendMessageTo(SendRequest& request, size_t send_buffer,
                               const RefPtr<Endpoint>& to);
  // Puts the bytes into this queue: at the end of the last message, or as a new one.
  Result<void> Append(std::span<const std::byte> data, Message& message);
  Result<void> MayReceiveLocked(const Endpoint& sender) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<ReceiveResult> ReceiveBytes(const ReceiveRequest& request);
  Result<ReceiveResult> ReceiveMessage(const ReceiveRequest& request);
  Result<void> CheckEmptyLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Uncharge(size_t bytes);
  bool Writable(size_t send_buffer) const { return in_flight() * 4 <= send_buffer; }
  // Whether a sender (or a connector) has to wait for us; never the one we are connected to.
  bool IsFullFor(const Endpoint& sender);
  bool FullLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // `sender` was refused because we are full; it is woken when we are not.
  void NoteBlocked(const RefPtr<Endpoint>& sender);
  void WakeBlocked();

  const int type_;
  WaitQueue wait_queue_;
  std::atomic<size_t> in_flight_{0};
  std::atomic<size_t> last_send_buffer_{212992};
  std::atomic<bool> pass_credentials_{false};
  std::atomic<uint64_t> inode_number_{0};
  std::atomic<uint32_t> owner_{0};  // The socket's user.
  std::atomic<const Endpoint*> embryo_of_{nullptr};

  Mutex<LockRank::kSocket> mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kUnconnected;
  UnixName name_ ABSL_GUARDED_BY(mu_);
  bool owns_name_ ABSL_GUARDED_BY(mu_) = false;  // False for an accepted one: it is the listener's.
  vfs::Path bound_path_ ABSL_GUARDED_BY(mu_);    // Keeps the inode while we hang on it.
  RefPtr<BoundEndpoint> attachment_ ABSL_GUARDED_BY(mu_);
  RefPtr<Endpoint> peer_ ABSL_GUARDED_BY(mu_);
  abi::SocketCredentials own_credentials_ ABSL_GUARDED_BY(mu_);
  abi::SocketCredentials peer_credentials_ ABSL_GUARDED_BY(mu_);
  bool read_shutdown_ ABSL_GUARDED_BY(mu_) = false;
  bool write_shutdown_ ABSL_GUARDED_BY(mu_) = false;
  int error_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<Message> queue_ ABSL_GUARDED_BY(mu_);
  std::deque<RefPtr<Endpoint>> backlog_ ABSL_GUARDED_BY(mu_);
  size_t backlog_limit_ ABSL_GUARDED_BY(mu_) = 0;
  // Who waits for room here, and whom we wait for: EPOLLOUT is held back until that one has room.
  absl::flat_hash_map<Endpoint*, RefPtr<Endpoint>> blocked_ ABSL_GUARDED_BY(mu_);
  RefPtr<Endpoint> waits_for_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_UNIX_ENDPOINT_H_
