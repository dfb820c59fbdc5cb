// SPDX-License-Identifier: Apache-2.0
//
// States and their ends. Connections begin in tcp_connect.cc, data are in tcp_transfer.cc.
#include "sentry/socket/inet/tcp_endpoint.h"

#include <linux/tcp.h>

#include <algorithm>
#include <utility>

#include "sentry/socket/inet/tcp_limits.h"
#include "sentry/socket/inet/tcp_timers.h"

namespace redoubt::inet {

using net::Counter;

TcpEndpoint::TcpEndpoint(RefPtr<net::NetworkNamespace> network, int family)
    : InetEndpoint(network, family, network->Extension<InetStack>().tcp()),
      window_(kDefaultWindow) {
  is_stream_ = true;
}

TcpEndpoint::~TcpEndpoint() {
  // Whatever has_timer_ says: it and the list of deadlines change one after the other.
  TcpTimers::Get().Cancel(*this);
  tcp_memory::Release(queue_.size());
}

TcpState TcpEndpoint::state() {
  MutexLock lock(&mu_);
  return state_;
}

void TcpEndpoint::SetReceiveBuffer(size_t bytes) {
  receive_buffer_ = bytes;
  // Half of it is for the bookkeeping of packets (net.ipv4.tcp_adv_win_scale).
  window_ = std::max<size_t>(bytes / 2, kSmallestWindow);
}

void TcpEndpoint::SetAsyncOwner(const std::atomic<int>* owner) {
  MutexLock lock(&mu_);
  async_owner_ = owner;
}

void TcpEndpoint::SetStateLocked(TcpState state) {
  const auto counts = [](TcpState s) {
    return s == TcpState::kEstablished || s == TcpState::kCloseWait;
  };
  const int change = (counts(state) ? 1 : 0) - (counts(state_) ? 1 : 0);
  if (change != 0) network_->counters().Add(Counter::kTcpCurrEstab, change);
  state_ = state;
}

void TcpEndpoint::WakeAll() {
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM | EPOLLPRI | EPOLLOUT | EPOLLWRNORM | EPOLLHUP |
                   EPOLLRDHUP | EPOLLERR);
}

void TcpEndpoint::WithPeer(absl::FunctionRef<void(TcpEndpoint*)> function)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  while (true) {
    RefPtr<TcpEndpoint> peer;  // Goes after the locks.
    {
      MutexLock lock(&mu_);
      peer = peer_;
      if (!peer) {
        function(nullptr);
        return;
      }
    }
    PairLock lock(*this, *peer);
    if (peer_ != peer) continue;
    function(peer.get());
    return;
  }
}

void TcpEndpoint::ReleasePortLocked() {
  if (remote_.port != 0) ports_.Unclaim({local_, remote_});
  if (!port_is_users_ || orphaned_) ports_.Unbind(binding_);
}

void TcpEndpoint::DieLocked() {
  SetStateLocked(TcpState::kClose);
  shutdown_ = kReceiving | kSending;
  ReleasePortLocked();
  peer_ = nullptr;
}

void TcpEndpoint::EnterTimeWaitLocked() {
  ports_.EnterTimeWait({local_, remote_}, binding_, family_);
  network_->counters().Add(Counter::kTcpExtTw);
  DieLocked();
}

// Our direction ends: the peer sees the end of the stream at once, whatever it has yet to read.
void TcpEndpoint::SendFinLocked(TcpEndpoint& peer) {
  shutdown_ |= kSending;
  network_->loopback_counters().CountLoopback(1, 52);
  if (&peer == this) {
    received_fin_ = true;
    EnterTimeWaitLocked();
    return;
  }
  peer.received_fin_ = true;
  peer.shutdown_ |= kReceiving;
  if (state_ == TcpState::kEstablished) {
    SetStateLocked(TcpState::kFinWait2);
    peer.SetStateLocked(TcpState::kCloseWait);
    return;
  }
  // The second FIN: who sent the first waits in TIME_WAIT, unless it gave up waiting.
  if (peer.state_ != TcpState::kClose) peer.EnterTimeWaitLocked();
  DieLocked();
}

// tcp_reset().
void TcpEndpoint::ReceiveResetLocked() {
  error_ = state_ == TcpState::kCloseWait ? EPIPE : ECONNRESET;
  network_->counters().Add(Counter::kTcpEstabResets);
  DieLocked();
}

Result<void> TcpEndpoint::Shutdown(bool read, bool write) {
  bool disconnect = false;
  Result<void> result;
  RefPtr<TcpEndpoint> told;
  WithPeer([&](TcpEndpoint* peer) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (socket_state_ == SocketState::kConnecting) {
      const bool over = state_ == TcpState::kSynSent || state_ == TcpState::kClose;
      socket_state_ = over ? SocketState::kDisconnecting : SocketState::kConnected;
    }
    if (state_ == TcpState::kListen || state_ == TcpState::kSynSent) {
      disconnect = state_ == TcpState::kSynSent || read;
      return;
    }
    if (state_ == TcpState::kClose) result = Errno(ENOTCONN);
    shutdown_ |= (read ? kReceiving : 0) | (write ? kSending : 0);
    const bool open = state_ == TcpState::kEstablished || state_ == TcpState::kCloseWait;
    if (!write || !open || peer == nullptr) return;
    told = RefPtr<TcpEndpoint>(peer);
    SendFinLocked(*peer);
  });
  if (disconnect) {
    TRY(Disconnect());
    MutexLock lock(&mu_);
    error_ = 0;
  }
  WakeAll();
  if (told) told->WakeAll();
  return result;
}

void TcpEndpoint::Close(bool abort) {
  StopListening();
  LeavePendingList();
  RefPtr<TcpEndpoint> told;
  sockets::ByteQueue dropped;
  WithPeer([&](TcpEndpoint* peer) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    orphaned_ = true;
    async_owner_ = nullptr;
    const bool unread = !queue_.empty();
    dropped = std::move(queue_);
    queued_ = 0;
    if (peer == nullptr) {
      SetStateLocked(TcpState::kClose);
      ReleasePortLocked();
      return;
    }
    told = RefPtr<TcpEndpoint>(peer);
    if (abort || unread || (state_ == TcpState::kFinWait2 && linger2_ < 0)) {
      network_->counters().Add(Counter::kTcpExtAbortOnClose);
      network_->counters().Add(Counter::kTcpOutRsts);
      DieLocked();
      if (peer != this) peer->ReceiveResetLocked();
    } else if ((shutdown_ & kSending) == 0) {
      SendFinLocked(*peer);
    }
    if (state_ == TcpState::kFinWait2) SetTimer(OrphanPatience());
  });
  tcp_memory::Release(dropped.size());
  if (told && told != this) told->WakeAll();
  WakeAll();
}

void TcpEndpoint::Abort(int error) {
  StopListening();
  LeavePendingList();
  RefPtr<TcpEndpoint> told;
  WithPeer([&](TcpEndpoint* peer) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (peer != nullptr && peer != this) {
      told = RefPtr<TcpEndpoint>(peer);
      peer->ReceiveResetLocked();
    }
    error_ = error;
    DieLocked();
  });
  WakeAll();
  if (told) told->WakeAll();
}

void TcpEndpoint::AnswerWithReset() {
  RefPtr<TcpEndpoint> told;
  WithPeer([&](TcpEndpoint* peer) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (peer == nullptr) return;
    told = RefPtr<TcpEndpoint>(peer);
    network_->counters().Add(Counter::kTcpExtAbortOnData);
    if (!peer->orphaned_) peer->error_ = ECONNRESET;
    peer->DieLocked();
    ReceiveResetLocked();
  });
  WakeAll();
  if (told) told->WakeAll();
}

int TcpEndpoint::TakeError() {
  MutexLock lock(&mu_);
  return std::exchange(error_, 0);
}

Result<SocketAddress> TcpEndpoint::PeerName(bool even_if_closed) {
  MutexLock lock(&mu_);
  const bool closed = state_ == TcpState::kClose || state_ == TcpState::kSynSent;
  if (remote_.port == 0 || (closed && !even_if_closed)) return Errno(ENOTCONN);
  return ToSocketAddress(family_, remote_);
}

bool TcpEndpoint::MayBindLocked() { return state_ == TcpState::kClose; }

bool TcpEndpoint::ReadableForPollLocked(int low_water) {
  size_t target = static_cast<size_t>(low_water);
  if (urgent_ != Urgent::kNone && urgent_sequence_ == read_sequence_ &&
      !urgent_inline_.load(std::memory_order_relaxed)) {
    ++target;
  }
  // A full window counts too: nothing more would come.
  return !queue_.empty() && (queue_.size() >= target || queue_.size() >= window());
}

// tcp_poll().
EventMask TcpEndpoint::Readiness(EventMask mask, int low_water) {
  MutexLock lock(&mu_);
  EventMask events = 0;
  if (state_ == TcpState::kListen) {
    if (!listener_->accepted.empty()) events |= EPOLLIN | EPOLLRDNORM;
    return events & (mask | EPOLLERR | EPOLLHUP);
  }
  if (shutdown_ == (kReceiving | kSending) || state_ == TcpState::kClose) events |= EPOLLHUP;
  if ((shutdown_ & kReceiving) != 0) events |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
  if (state_ != TcpState::kSynSent) {
    if (ReadableForPollLocked(low_water)) events |= EPOLLIN | EPOLLRDNORM;
    if ((shutdown_ & kSending) != 0) {
      events |= EPOLLOUT | EPOLLWRNORM;
    } else if ((mask & (EPOLLOUT | EPOLLWRNORM)) != 0) {
      bool writable = WritableLocked();
      if (!writable) {
        // First the wish to be told, then the question again.
        no_space_ = true;
        writable = WritableLocked();
      }
      if (writable) events |= EPOLLOUT | EPOLLWRNORM;
    }
    if (urgent_ == Urgent::kValid) events |= EPOLLPRI;
  }
  if (error_ != 0 || (errors_ && !errors_->empty())) events |= EPOLLERR;
  return events & (mask | EPOLLERR | EPOLLHUP);
}

size_t TcpEndpoint::UnsentLocked() {
  if (!peer_) return 0;
  const size_t queued = peer_->queued_.load();
  return queued - std::min(queued, peer_->window());
}

size_t TcpEndpoint::BytesUnsent() {
  MutexLock lock(&mu_);
  return UnsentLocked();
}

size_t TcpEndpoint::BytesReadable() {
  MutexLock lock(&mu_);
  const size_t readable = std::min(queue_.size(), window());
  const bool mark_ahead = urgent_ != Urgent::kNone && !urgent_inline_ &&
                          urgent_sequence_ >= read_sequence_ &&
                          urgent_sequence_ < read_sequence_ + queue_.size();
  return mark_ahead ? std::min(readable, urgent_sequence_ - read_sequence_) : readable;
}

bool TcpEndpoint::IsAtMark() {
  MutexLock lock(&mu_);
  return urgent_ != Urgent::kNone && urgent_sequence_ == read_sequence_;
}

bool TcpEndpoint::Describe(net::InetSocketInfo& info, bool with_details) {
  {
    MutexLock lock(&mu_);
    if (state_ == TcpState::kClose) return false;
    FillInfoLocked(info);
    info.protocol = IPPROTO_TCP;
    info.state = static_cast<uint8_t>(state_);
    info.shutdown = shutdown_;
    if (state_ == TcpState::kListen) {
      info.receive_queue = static_cast<uint32_t>(listener_->accepted.size());
      info.send_queue = static_cast<uint32_t>(listener_->backlog);
    } else {
      info.receive_queue = static_cast<uint32_t>(std::min(queue_.size(), window()));
      info.send_queue = static_cast<uint32_t>(UnsentLocked());
    }
    info.congestion_control = "cubic";
  }
  if (with_details && info.state != static_cast<uint8_t>(TcpState::kListen)) {
    info.tcp_info = Info();
  }
  return true;
}

// tcp_get_info(), with the figures of a connection over loopback.
std::vector<std::byte> TcpEndpoint::Info() {
  tcp_info info = {};
  MutexLock lock(&mu_);
  info.tcpi_state = static_cast<uint8_t>(state_);
  info.tcpi_rto = 1'000'000;
  info.tcpi_snd_mss = 536;
  info.tcpi_rcv_mss = 536;
  info.tcpi_snd_ssthresh = 0x7fffffff;
  info.tcpi_snd_cwnd = 10;
  info.tcpi_reordering = 3;
  info.tcpi_pacing_rate = info.tcpi_max_pacing_rate = ~uint64_t{0};
  if (state_ == TcpState::kListen) {
    info.tcpi_unacked = static_cast<uint32_t>(listener_->accepted.size());
    info.tcpi_sacked = static_cast<uint32_t>(listener_->backlog);
  } else if (state_ != TcpState::kClose && state_ != TcpState::kSynSent) {
    info.tcpi_options = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE;
    info.tcpi_snd_wscale = info.tcpi_rcv_wscale = 7;
    info.tcpi_rto = 201'000;
    info.tcpi_ato = 40'000;
    info.tcpi_snd_mss = kLoopbackMss / 2;
    info.tcpi_rcv_mss = 536;
    info.tcpi_pmtu = 65535;
    info.tcpi_advmss = kLoopbackMss;
    info.tcpi_rtt = 30;
    info.tcpi_rttvar = 15;
    info.tcpi_rcv_space = kLoopbackMss;
    info.tcpi_rcv_ssthresh = kLoopbackMss;
    const uint64_t sent = bytes_sent_.load(std::memory_order_relaxed);
    info.tcpi_bytes_acked = sent + 1 - std::min<uint64_t>(UnsentLocked(), sent);
    info.tcpi_bytes_received = read_sequence_ + queue_.size();
    info.tcpi_notsent_bytes = static_cast<uint32_t>(UnsentLocked());
    info.tcpi_bytes_sent = sent;
    info.tcpi_min_rtt = 10;
    info.tcpi_snd_wnd = static_cast<uint32_t>(peer_ ? peer_->window() : 0);
  }
  const auto bytes = std::as_bytes(std::span(&info, 1));
  return {bytes.begin(), bytes.end()};
}

}  // namespace redoubt::inet
