// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/tcp_socket.h"

#include <linux/capability.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include <utility>

#include "sentry/socket/inet/tcp_limits.h"

namespace redoubt::inet {

using sockets::ReceiveRequest;
using sockets::ReceiveResult;
using sockets::SendRequest;
using sockets::Socket;

TcpSocket::TcpSocket(RefPtr<TcpEndpoint> endpoint, uint32_t flags, const vfs::Caller& caller)
    : InetSocket(endpoint, SOCK_STREAM, IPPROTO_TCP, flags, caller), tcp_(std::move(endpoint)) {
  SetDefaultBuffers(kInitialSendBuffer, kInitialReceiveBuffer);
  tcp_->SetAsyncOwner(&async_owner());
}

TcpSocket::~TcpSocket() { tcp_->Close(/*abort=*/linger_seconds() == 0); }

Result<void> TcpSocket::Connect(const vfs::Caller& caller, const SocketAddress& address) {
  return tcp_->Connect(address);
}

Result<void> TcpSocket::Listen(const vfs::Caller& caller, int backlog) {
  return tcp_->Listen(backlog);
}

Result<RefPtr<Socket>> TcpSocket::Accept(const vfs::Caller& caller, uint32_t flags) {
  RefPtr<TcpEndpoint> endpoint = TRY(tcp_->Accept());
  auto accepted = MakeRef<TcpSocket>(std::move(endpoint), flags, caller);
  accepted->InheritOptions(*this);
  accepted->options_.CopyFrom(options_);
  accepted->send_buffer_is_set_ = send_buffer_is_set_.load();
  return RefPtr<Socket>(std::move(accepted));
}

Result<size_t> TcpSocket::SendMessage(SendRequest& request) {
  if ((request.flags & MSG_FASTOPEN) != 0 && request.address != nullptr) {
    // A connect and a send in one: the first data never travel with a SYN here.
    const Result<void> connected = tcp_->Connect(*request.address);
    if (connected.Is(EINPROGRESS)) (void)tcp_->Connect(*request.address);
    if (!connected.ok() && !connected.Is(EINPROGRESS) && !connected.Is(EALREADY)) {
      return connected.error();
    }
  }
  return tcp_->Send(request.data, request.flags);
}

Result<ReceiveResult> TcpSocket::ReceiveMessage(const ReceiveRequest& request) {
  if ((request.flags & MSG_ERRQUEUE) != 0) return tcp_->ReceiveError(request);
  ReceiveResult result = TRY(tcp_->Receive(
      request, {.low_water = receive_low_water(),
                .nonblocking = nonblocking() || (request.flags & MSG_DONTWAIT) != 0}));
  return result;
}

Result<void> TcpSocket::Shutdown(sockets::ShutdownHow how) {
  return tcp_->Shutdown(how != sockets::ShutdownHow::kWrite, how != sockets::ShutdownHow::kRead);
}

EventMask TcpSocket::Readiness(EventMask mask) {
  return tcp_->Readiness(mask, receive_low_water());
}

std::optional<uint32_t> TcpSocket::PathMtu() {
  const TcpState state = tcp_->state();
  if (state == TcpState::kClose || state == TcpState::kListen) return std::nullopt;
  const auto loopback = tcp_->network().FindInterface(net::kLoopbackIndex);
  return loopback ? loopback->mtu : 65536;
}

Result<std::vector<std::byte>> TcpSocket::GetTcpOption(int name, size_t length) {
  switch (name) {
    case TCP_INFO:
      return tcp_->Info();
    case TCP_CONGESTION:
      return options_.CongestionControl();
    case TCP_ULP:
    case TCP_SAVED_SYN:
      return std::vector<std::byte>();
    case TCP_REPAIR:
      return ToBytes(int32_t{0});
    case TCP_MAXSEG: {
      const bool connected = PathMtu().has_value();
      const int32_t set = options_.Get(TcpOption::kMaximumSegment);
      if (connected) return ToBytes(set != 536 && set != 0 ? set : int32_t{kLoopbackMss / 2});
      return ToBytes(int32_t{set == 0 ? 536 : set});
    }
    default:
      return options_.Show(name);
  }
}

Result<void> TcpSocket::SetTcpOption(const vfs::Caller& caller, int name,
                                     std::span<const std::byte> value) {
  switch (name) {
    case TCP_CONGESTION:
      return options_.SetCongestionControl(value);
    case TCP_ULP:
      return Errno(ENOENT);  // No TLS in the kernel.
    case TCP_REPAIR:
      return Errno(EPERM);
    case TCP_DEFER_ACCEPT:
      TRY(options_.Set(name, value));
      tcp_->SetDeferAccept(options_.Get(TcpOption::kDeferAccept));
      return {};
    case TCP_SYNCNT:
      TRY(options_.Set(name, value));
      tcp_->SetSynRetries(options_.Get(TcpOption::kSynCount));
      return {};
    case TCP_LINGER2:
      TRY(options_.Set(name, value));
      tcp_->SetLinger2(options_.Get(TcpOption::kLinger2));
      return {};
    case TCP_USER_TIMEOUT:
      TRY(options_.Set(name, value));
      tcp_->SetUserTimeout(options_.Get(TcpOption::kUserTimeout));
      return {};
    case TCP_FASTOPEN:
      if (tcp_->state() != TcpState::kClose && !IsListening()) return Errno(EINVAL);
      return options_.Set(name, value);
    case TCP_FASTOPEN_CONNECT:
      if (tcp_->state() != TcpState::kClose) return Errno(EINVAL);
      return options_.Set(name, value);
    default:
      return options_.Set(name, value);
  }
}

Result<std::vector<std::byte>> TcpSocket::GetOption(int level, int name, size_t length) {
  if (level == IPPROTO_TCP) return GetTcpOption(name, length);
  if (level == SOL_SOCKET && name == SO_SNDBUF && !send_buffer_is_set_ && PathMtu()) {
    return ToBytes(static_cast<int32_t>(kConnectedSendBuffer));
  }
  return InetSocket::GetOption(level, name, length);
}

// What the endpoint has to know of SOL_SOCKET's options.
Result<void> TcpSocket::NoteSocketOption(int name) {
  switch (name) {
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
      send_buffer_is_set_ = true;
      tcp_->SetSendBuffer(send_buffer());
      break;
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
      tcp_->SetReceiveBuffer(receive_buffer());
      break;
    case SO_OOBINLINE:
      tcp_->SetUrgentInline(HasOption(SO_OOBINLINE));
      break;
    case SO_ZEROCOPY:
      tcp_->SetZeroCopy(HasOption(SO_ZEROCOPY));
      break;
    case SO_RCVLOWAT:
      endpoint().wait_queue().Wake(EPOLLIN | EPOLLRDNORM);
      break;
    default:
      break;
  }
  return {};
}

Result<void> TcpSocket::SetOption(const vfs::Caller& caller, int level, int name,
                                  std::span<const std::byte> value) {
  if (level == IPPROTO_TCP) return SetTcpOption(caller, name, value);
  TRY(InetSocket::SetOption(caller, level, name, value));
  return level == SOL_SOCKET ? NoteSocketOption(name) : Result<void>();
}

Result<uint64_t> TcpSocket::Ioctl(const vfs::IoctlRequest& request) {
  switch (request.command) {
    case SIOCINQ:
      if (IsListening()) return Errno(EINVAL);
      return GiveInt(request, static_cast<int32_t>(tcp_->BytesReadable()));
    case SIOCOUTQ:
    case SIOCOUTQNSD:
      if (IsListening()) return Errno(EINVAL);
      return GiveInt(request, static_cast<int32_t>(tcp_->BytesUnsent()));
    case SIOCATMARK:
      return GiveInt(request, tcp_->IsAtMark());
    default:
      return Socket::Ioctl(request);
  }
}

}  // namespace redoubt::inet
