// SPDX-License-Identifier: Apache-2.0
//
// How TCP connections begin: connect(2), listen(2), accept(2); and AF_UNSPEC, which undoes them.
#include <linux/rtnetlink.h>

#include <algorithm>
#include <utility>

#include "sentry/socket/inet/tcp_endpoint.h"
#include "sentry/socket/inet/tcp_limits.h"

namespace redoubt::inet {

using net::Counter;

namespace {

constexpr EventMask kAcceptable = EPOLLIN | EPOLLRDNORM;

}  // namespace

// __inet_stream_connect().
Result<void> TcpEndpoint::Connect(const SocketAddress& address) {
  if (address.length() < sizeof(uint16_t)) return Errno(EINVAL);
  if (address.family() == AF_UNSPEC) return Disconnect();
  {
    MutexLock lock(&mu_);
    switch (socket_state_) {
      case SocketState::kConnected:
        return Errno(EISCONN);
      case SocketState::kDisconnecting:
        return Errno(EINVAL);
      case SocketState::kConnecting:
        return FinishConnectLocked();
      case SocketState::kUnconnected:
        if (state_ != TcpState::kClose) return Errno(EISCONN);
        break;
    }
  }
  return StartConnect(TRY(ParseInetName(family_, address)));
}

Result<void> TcpEndpoint::FinishConnectLocked() {
  if (state_ == TcpState::kSynSent) return Errno(EALREADY);
  if (state_ != TcpState::kClose) {
    socket_state_ = SocketState::kConnected;
    return {};
  }
  const int error = std::exchange(error_, 0);
  ForgetConnectionLocked();
  return Errno(error != 0 ? error : ECONNABORTED);
}

// Takes a port and the connection's name for ourselves.
Result<void> TcpEndpoint::ClaimNameLocked(const InetName& name, const IpAddress& source) {
  const IpAddress before = binding_.address;
  if (before.IsUnspecified()) {
    ports_.Update(binding_, [&](Binding& binding) { binding.address = source; });
  }
  Result<void> claimed;
  if (binding_.port == 0) {
    Result<uint16_t> port = ports_.BindForConnect(binding_, name);
    if (port.ok()) local_.port = *port;
    if (!port.ok()) claimed = port.error();
  } else {
    claimed = ports_.Claim({{source, binding_.port}, name});
  }
  if (!claimed.ok()) {
    ports_.Update(binding_, [&](Binding& binding) { binding.address = before; });
    return claimed;
  }
  local_.address = source;
  remote_ = name;
  return {};
}

Result<void> TcpEndpoint::StartConnect(InetName name) {
  IpAddress source = IpAddress::Any(name.address.family());
  int device = 0;
  {
    MutexLock lock(&mu_);
    if (name.address.is_v4() && family_ == AF_INET6 && binding_.v6_only) return Errno(ENETUNREACH);
    device = binding_.device;
    // A v6 socket that is bound to a v4 address cannot reach v6 ones, nor the reverse.
    const bool bound = !binding_.address.IsUnspecified();
    if (bound && binding_.address.family() != name.address.family()) return Errno(EINVAL);
    if (bound) source = binding_.address;
  }
  const net::RouteAnswer route = TRY(RouteTo(name, source, device));
  if (route.type == RTN_MULTICAST || route.type == RTN_BROADCAST) return Errno(ENETUNREACH);
  // Nothing leads out of the sandbox yet.
  if (route.type != RTN_LOCAL) return Errno(EHOSTUNREACH);
  if (source.IsUnspecified()) source = route.source;
  {
    MutexLock lock(&mu_);
    if (state_ != TcpState::kClose || socket_state_ != SocketState::kUnconnected) {
      return Errno(EALREADY);  // Another thread was faster.
    }
    TRY(ClaimNameLocked(name, source));
    network_->counters().Add(Counter::kTcpActiveOpens);
    shutdown_ = 0;
    received_fin_ = false;
    error_ = 0;
    socket_state_ = SocketState::kConnecting;
    SetStateLocked(TcpState::kSynSent);
    if (local_ == remote_) {
      JoinSelfLocked();
      return Errno(EINPROGRESS);
    }
  }
  FindListenerAndJoin(name, route.interface_index);
  return Errno(EINPROGRESS);
}

// A socket that connects to its own name meets itself (a simultaneous open).
void TcpEndpoint::JoinSelfLocked() {
  SetStateLocked(TcpState::kEstablished);
  peer_ = RefPtr<TcpEndpoint>(this);
}

RefPtr<TcpEndpoint> TcpEndpoint::MakeChild() {
  auto child = MakeRef<TcpEndpoint>(network_, family_);
  if (&options() != &IpOptions::Defaults()) child->mutable_options() = options();
  child->uid() = uid().load(std::memory_order_relaxed);
  child->send_buffer_ = send_buffer_.load();
  if (receive_buffer_ != 0) child->SetReceiveBuffer(receive_buffer_);
  child->urgent_inline_ = urgent_inline_.load();
  child->zero_copy_ = zero_copy_.load();
  child->linger2_ = linger2_.load();
  child->user_timeout_ = user_timeout_.load();
  return child;
}

void TcpEndpoint::FindListenerAndJoin(const InetName& name, int device) {
  while (true) {
    PortQuery query{.source = {}, .destination = name, .device = device};
    {
      MutexLock lock(&mu_);
      query.source = local_;
    }
    RefPtr<InetEndpoint> found = ports_.FindListener(query);
    if (!found) return Refuse(ECONNREFUSED);
    RefPtr<TcpEndpoint> listener(static_cast<TcpEndpoint*>(found.get()));
    RefPtr<TcpEndpoint> child = listener->MakeChild();
    bool joined = false;
    {
      PairLock lock(*this, *listener);
      if (state_ != TcpState::kSynSent) return;
      if (listener->state_ != TcpState::kListen) continue;
      if (listener->listener_->Full()) {
        network_->counters().Add(Counter::kTcpExtListenOverflows);
        listener->listener_->pending.push_back(RefPtr<TcpEndpoint>(this));
        waits_for_ = listener;
        SetTimer(ConnectPatience());
        return;
      }
      joined = JoinLocked(*listener, child);
    }
    if (!joined) return Refuse(ECONNREFUSED);
    listener->wait_queue_.Wake(kAcceptable);
    WakeAll();
    return;
  }
}

// Both ends come to life: `child` is the server's, and waits in the listener's queue.
bool TcpEndpoint::JoinLocked(TcpEndpoint& listener, const RefPtr<TcpEndpoint>& child) {
  child->local_ = remote_;
  child->remote_ = local_;
  child->binding_.address = child->local_.address;
  child->binding_.v6_only = listener.binding_.v6_only;
  child->binding_.reuse_address = listener.binding_.reuse_address;
  child->binding_.reuse_port = listener.binding_.reuse_port;
  child->binding_.uid = listener.binding_.uid;
  child->binding_.device = listener.binding_.device;
  if (!ports_.BindAccepted(child->binding_, child->local_.port, child->remote_).ok()) return false;
  child->SetStateLocked(TcpState::kEstablished);
  child->socket_state_ = SocketState::kConnected;
  child->peer_ = RefPtr<TcpEndpoint>(this);
  peer_ = child;
  waits_for_ = nullptr;
  CancelTimer();
  SetStateLocked(TcpState::kEstablished);
  network_->counters().Add(Counter::kTcpPassiveOpens);
  network_->loopback_counters().CountLoopback(3, 180);
  if (const int defer = listener.defer_accept_.load(std::memory_order_relaxed); defer > 0) {
    child->SetTimer(int64_t{defer} * 1'000'000'000);
    child->waits_for_ = RefPtr<TcpEndpoint>(&listener);
    listener.listener_->deferred.push_back(child);
  } else {
    listener.listener_->accepted.push_back(child);
  }
  return true;
}

void TcpEndpoint::Refuse(int error) {
  {
    MutexLock lock(&mu_);
    if (state_ != TcpState::kSynSent) return;
    error_ = error;
    waits_for_ = nullptr;
    network_->counters().Add(Counter::kTcpAttemptFails);
    DieLocked();
  }
  WakeAll();
}

// inet_listen().
Result<void> TcpEndpoint::Listen(int backlog) {
  {
    MutexLock lock(&mu_);
    if (socket_state_ != SocketState::kUnconnected) return Errno(EINVAL);
    if (state_ != TcpState::kClose && state_ != TcpState::kListen) return Errno(EINVAL);
    if (state_ == TcpState::kClose) {
      if (binding_.port == 0) local_.port = TRY(ports_.Bind(binding_, 0));
      TRY(ports_.Listen(binding_));
      shutdown_ = 0;
      listener_ = std::make_unique<Listener>();
      SetStateLocked(TcpState::kListen);
    }
    listener_->backlog = static_cast<size_t>(backlog);
  }
  AdmitPending();  // The backlog may be longer now.
  return {};
}

Result<RefPtr<TcpEndpoint>> TcpEndpoint::Accept() {
  RefPtr<TcpEndpoint> accepted;
  {
    MutexLock lock(&mu_);
    if (state_ != TcpState::kListen) return Errno(EINVAL);
    if (listener_->accepted.empty()) return Errno(EAGAIN);
    accepted = std::move(listener_->accepted.front());
    listener_->accepted.pop_front();
    if (listener_->pending.empty()) return accepted;
  }
  AdmitPending();
  return accepted;
}

// Connectors that found the backlog full come in as far as there is room.
void TcpEndpoint::AdmitPending() {
  while (true) {
    RefPtr<TcpEndpoint> connector;
    {
      MutexLock lock(&mu_);
      if (state_ != TcpState::kListen || listener_->pending.empty() || listener_->Full()) return;
      connector = std::move(listener_->pending.front());
      listener_->pending.pop_front();
    }
    RefPtr<TcpEndpoint> child = MakeChild();
    bool gone = false, joined = false;
    {
      PairLock lock(*this, *connector);
      gone = connector->state_ != TcpState::kSynSent || connector->waits_for_ != this;
      if (!gone && state_ == TcpState::kListen) joined = connector->JoinLocked(*this, child);
    }
    if (gone) continue;
    if (joined) {
      wait_queue_.Wake(kAcceptable);
      connector->WakeAll();
    } else {
      connector->Refuse(ECONNREFUSED);
    }
  }
}

// TCP_DEFER_ACCEPT: `child` has data, and may be accepted.
void TcpEndpoint::EndDeferral(const RefPtr<TcpEndpoint>& child) {
  {
    PairLock lock(*this, *child);
    child->waits_for_ = nullptr;
    child->CancelTimer();
    if (state_ != TcpState::kListen) return;
    auto& deferred = listener_->deferred;
    const auto found = std::find(deferred.begin(), deferred.end(), child);
    if (found == deferred.end()) return;
    listener_->accepted.push_back(std::move(*found));
    deferred.erase(found);
  }
  wait_queue_.Wake(kAcceptable);
}

void TcpEndpoint::StopListening() {
  std::unique_ptr<Listener> listener;
  {
    MutexLock lock(&mu_);
    if (state_ != TcpState::kListen) return;
    listener = std::move(listener_);
    ports_.Update(binding_, [](Binding& binding) { binding.listening = false; });
    SetStateLocked(TcpState::kClose);
  }
  for (const auto& connection : listener->accepted) connection->Close(/*abort=*/true);
  for (const auto& connection : listener->deferred) {
    {
      MutexLock lock(&connection->mu_);
      connection->waits_for_ = nullptr;
    }
    connection->Close(/*abort=*/true);
  }
  for (const auto& connector : listener->pending) connector->Refuse(ECONNREFUSED);
}

void TcpEndpoint::LeavePendingList() {
  RefPtr<TcpEndpoint> listener, self(this);
  {
    MutexLock lock(&mu_);
    listener = std::move(waits_for_);
  }
  if (!listener) return;
  MutexLock lock(&listener->mu_);
  if (!listener->listener_) return;
  std::erase(listener->listener_->pending, self);
  std::erase(listener->listener_->deferred, self);
}

// What tcp_disconnect() leaves of names.
void TcpEndpoint::ForgetConnectionLocked() {
  ReleasePortLocked();
  remote_ = {IpAddress::Any(family_), 0, 0};
  if (!address_is_users_) {
    ports_.Update(binding_, [&](Binding& b) { b.address = IpAddress::Any(family_); });
    local_.address = IpAddress::Any(family_);
  }
  if (binding_.port == 0) local_.port = 0;
  binding_.by_connect = false;
  shutdown_ = 0;
  received_fin_ = false;
  urgent_ = Urgent::kNone;
  socket_state_ = SocketState::kUnconnected;
}

Result<void> TcpEndpoint::Disconnect() {
  StopListening();
  LeavePendingList();
  RefPtr<TcpEndpoint> told;
  sockets::ByteQueue dropped;
  WithPeer([&](TcpEndpoint* peer) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (peer != nullptr && peer != this) {
      told = RefPtr<TcpEndpoint>(peer);
      peer->ReceiveResetLocked();
    }
    if (peer != nullptr || state_ == TcpState::kSynSent) error_ = ECONNRESET;
    dropped = std::move(queue_);
    queued_ = 0;
    DieLocked();
    ForgetConnectionLocked();
  });
  tcp_memory::Release(dropped.size());
  if (told) told->WakeAll();
  WakeAll();
  return {};
}

}  // namespace redoubt::inet
