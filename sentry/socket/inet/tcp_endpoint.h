// SPDX-License-Identifier: Apache-2.0
//
// TcpEndpoint: one end of a TCP connection between two sockets of this sandbox, or a listener. No
// segment is ever made: what one end sends is appended to the other's queue, and what would be a
// FIN or RST changes the other's state at once. What a program can observe is Linux's: states,
// errors, events, names, options (net/ipv4/tcp.c, tcp_input.c, inet_connection_sock.c).
//
// How the pieces of real TCP map: the receiver's queue holds what Linux has in the receiver's queue
// (up to its window) and, behind that, in the sender's queue (up to its SO_SNDBUF); queue + window
// full is EAGAIN. A handshake is instantaneous unless the listener's backlog is full: then the
// connector waits in the listener's list, in SYN_SENT, for an accept(2).
//
// A connection's two ends refer to each other until it is dead for both (RST, or FINs both ways).
#ifndef SENTRY_SOCKET_INET_TCP_ENDPOINT_H_
#define SENTRY_SOCKET_INET_TCP_ENDPOINT_H_

#include <deque>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "sentry/socket/byte_queue.h"
#include "sentry/socket/inet/inet_endpoint.h"

namespace redoubt::inet {

// TCP_ESTABLISHED ... of netinet/tcp.h.
enum class TcpState : uint8_t {
  kEstablished = 1,
  kSynSent = 2,
  kSynReceived = 3,
  kFinWait1 = 4,
  kFinWait2 = 5,
  kTimeWait = 6,
  kClose = 7,
  kCloseWait = 8,
  kLastAck = 9,
  kListen = 10,
  kClosing = 11,
};

class TcpEndpoint : public InetEndpoint {
 public:
  TcpEndpoint(RefPtr<net::NetworkNamespace> network, int family);
  ~TcpEndpoint() override;

  // connect(2): EINPROGRESS when it was started, whether or not it has ended already; asked again,
  // EALREADY while it lasts, then its outcome once, then EISCONN.
  Result<void> Connect(const SocketAddress& address);
  Result<void> Listen(int backlog);
  Result<RefPtr<TcpEndpoint>> Accept();
  Result<void> Shutdown(bool read, bool write);
  // The socket goes. `abort`: SO_LINGER of no time.
  void Close(bool abort);
  // SOCK_DESTROY.
  void Abort(int error);

  // `flags`: MSG_OOB, MSG_ZEROCOPY.
  Result<size_t> Send(std::span<const std::byte> data, int flags);
  struct ReceiveMode {
    int low_water = 1;
    bool nonblocking = false;
  };
  Result<sockets::ReceiveResult> Receive(const sockets::ReceiveRequest& request,
                                         const ReceiveMode& mode);
  void Unread(std::span<const std::byte> data);
  EventMask Readiness(EventMask mask, int low_water);

  Result<SocketAddress> PeerName(bool even_if_closed);
  TcpState state();
  int TakeError();
  bool IsListening() { return state() == TcpState::kListen; }
  size_t BytesReadable();  // SIOCINQ.
  size_t BytesUnsent();    // SIOCOUTQ.
  bool IsAtMark();         // SIOCATMARK.
  bool Describe(net::InetSocketInfo& info, bool with_details) override;
  std::vector<std::byte> Info();  // struct tcp_info.

  // What options change here. Sizes as the guest sees them; 0: not set.
  void SetSendBuffer(size_t bytes) { send_buffer_ = bytes; }
  void SetReceiveBuffer(size_t bytes);
  bool receive_buffer_is_set() const { return receive_buffer_ != 0; }
  void SetUrgentInline(bool on) { urgent_inline_ = on; }
  void SetDeferAccept(int seconds) { defer_accept_ = seconds; }
  void SetZeroCopy(bool on) { zero_copy_ = on; }
  void SetSynRetries(int count) { syn_retries_ = count; }
  void SetLinger2(int seconds) { linger2_ = seconds; }
  void SetUserTimeout(int milliseconds) { user_timeout_ = milliseconds; }
  // TcpTimers: the deadline has come.
  void OnTimer();
  // Who gets SIGURG (F_SETOWN of the open file); until Close().
  void SetAsyncOwner(const std::atomic<int>* owner);

 private:
  enum class SocketState : uint8_t { kUnconnected, kConnecting, kConnected, kDisconnecting };
  enum class Urgent : uint8_t { kNone, kValid, kRead };
  struct Listener {
    size_t backlog = 0;
    std::deque<RefPtr<TcpEndpoint>> accepted;  // Connected, wait for accept(2).
    std::deque<RefPtr<TcpEndpoint>> deferred;  // Connected, wait for data (TCP_DEFER_ACCEPT).
    std::deque<RefPtr<TcpEndpoint>> pending;   // Connectors that found the backlog full.
    bool Full() const { return accepted.size() > backlog || deferred.size() > backlog; }
  };

  bool MayBindLocked() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // tcp_connect.cc
  Result<void> StartConnect(InetName name);
  Result<void> ClaimNameLocked(const InetName& name, const IpAddress& source)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<void> FinishConnectLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FindListenerAndJoin(const InetName& name, int device);
  // Both locked. False: refused.
  bool JoinLocked(TcpEndpoint& listener,
                  const RefPtr<TcpEndpoint>& child) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  RefPtr<TcpEndpoint> MakeChild();
  void JoinSelfLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Refuse(int error);
  void AdmitPending();
  void EndDeferral(const RefPtr<TcpEndpoint>& child);
  // Takes the listener's queues apart; its connections are reset, its connectors refused.
  void StopListening();
  void LeavePendingList();
  Result<void> Disconnect();
  void ForgetConnectionLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // tcp_endpoint.cc: transitions. Those with a peer need both locks.
  // Calls `function` with the peer (or null) while both are locked.
  void WithPeer(absl::FunctionRef<void(TcpEndpoint*)> function);
  void SetStateLocked(TcpState state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SendFinLocked(TcpEndpoint& peer) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void ReceiveResetLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // tcp_done(): dead in both directions.
  void DieLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EnterTimeWaitLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleasePortLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Data met a receiver that takes none.
  void AnswerWithReset();
  void WakeAll();

  // tcp_timers.cc
  void SetTimer(int64_t delay);  // Nanoseconds.
  void CancelTimer();
  int64_t ConnectPatience() const;
  int64_t OrphanPatience() const;
  void WatchReader(TcpEndpoint& peer);
  uint64_t BytesRead();

  // tcp_transfer.cc
  struct Appended {
    bool gone = false;      // Not connected any more.
    bool rejected = false;  // The other end does not take data: RST.
    bool urgent = false;
    RefPtr<TcpEndpoint> deferred_by;
  };
  Result<RefPtr<TcpEndpoint>> MaySend();
  Appended Append(const TcpEndpoint& from, sockets::ByteQueue& data, bool urgent);
  void NoteUrgentLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SignalUrgent();
  void NoteZeroCopy();
  Result<sockets::ReceiveResult> ReceiveUrgent(const sockets::ReceiveRequest& request);
  // How much may be read from `skip` bytes behind the front; moves over the urgent byte.
  size_t ReadableLocked(size_t wanted, bool peek, size_t& skip) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<sockets::ReceiveResult> NothingToReadLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  size_t UnsentLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool WritableLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  size_t RoomFor(const TcpEndpoint& peer) const;
  size_t window() const { return window_.load(std::memory_order_relaxed); }
  size_t send_limit() const;
  bool ReadableForPollLocked(int low_water) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  std::atomic<size_t> send_buffer_{0};
  std::atomic<size_t> receive_buffer_{0};
  std::atomic<size_t> window_;
  std::atomic<size_t> queued_{0};      // queue_.size(), for the sender.
  std::atomic<bool> no_space_{false};  // A sender was refused and wants to hear of room.
  std::atomic<bool> urgent_inline_{false};
  std::atomic<bool> zero_copy_{false};
  std::atomic<int> defer_accept_{0};
  std::atomic<int> syn_retries_{0};  // TCP_SYNCNT; 0: net.ipv4.tcp_syn_retries.
  std::atomic<int> linger2_{0};      // TCP_LINGER2; 0: net.ipv4.tcp_fin_timeout.
  std::atomic<int> user_timeout_{0};
  std::atomic<bool> has_timer_{false};
  std::atomic<uint64_t> watched_{0};  // What the peer had read when data began to wait for it.
  std::atomic<uint64_t> bytes_sent_{0};

  TcpState state_ ABSL_GUARDED_BY(mu_) = TcpState::kClose;
  SocketState socket_state_ ABSL_GUARDED_BY(mu_) = SocketState::kUnconnected;
  Urgent urgent_ ABSL_GUARDED_BY(mu_) = Urgent::kNone;
  uint8_t shutdown_ ABSL_GUARDED_BY(mu_) = 0;       // kReceiving | kSending.
  bool received_fin_ ABSL_GUARDED_BY(mu_) = false;  // SOCK_DONE.
  bool orphaned_ ABSL_GUARDED_BY(mu_) = false;      // Its socket has gone.
  int error_ ABSL_GUARDED_BY(mu_) = 0;
  sockets::ByteQueue queue_ ABSL_GUARDED_BY(mu_);
  uint64_t read_sequence_ ABSL_GUARDED_BY(mu_) = 0;  // Of the front of queue_.
  uint64_t urgent_sequence_ ABSL_GUARDED_BY(mu_) = 0;
  std::byte urgent_byte_ ABSL_GUARDED_BY(mu_){};
  uint32_t zero_copy_sends_ ABSL_GUARDED_BY(mu_) = 0;
  RefPtr<TcpEndpoint> peer_ ABSL_GUARDED_BY(mu_);
  // The listener that this connector or deferred connection waits for.
  RefPtr<TcpEndpoint> waits_for_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<Listener> listener_ ABSL_GUARDED_BY(mu_);
  const std::atomic<int>* async_owner_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_TCP_ENDPOINT_H_
