// SPDX-License-Identifier: Apache-2.0
//
// TcpSocket: a TcpEndpoint as an open file, with the options of tcp(7).
#ifndef SENTRY_SOCKET_INET_TCP_SOCKET_H_
#define SENTRY_SOCKET_INET_TCP_SOCKET_H_

#include <memory>
#include <string>

#include "sentry/socket/inet/inet_socket.h"
#include "sentry/socket/inet/tcp_endpoint.h"
#include "sentry/socket/inet/tcp_options.h"

namespace redoubt::inet {

class TcpSocket : public InetSocket {
 public:
  TcpSocket(RefPtr<TcpEndpoint> endpoint, uint32_t flags, const vfs::Caller& caller);
  ~TcpSocket() override;

  Result<void> Connect(const vfs::Caller& caller, const SocketAddress& address) override;
  Result<void> Listen(const vfs::Caller& caller, int backlog) override;
  Result<RefPtr<sockets::Socket>> Accept(const vfs::Caller& caller, uint32_t flags) override;
  Result<size_t> SendMessage(sockets::SendRequest& request) override;
  Result<sockets::ReceiveResult> ReceiveMessage(const sockets::ReceiveRequest& request) override;
  void Unread(std::span<const std::byte> data) override { tcp_->Unread(data); }
  Result<void> Shutdown(sockets::ShutdownHow how) override;
  Result<SocketAddress> GetPeerName() override { return tcp_->PeerName(false); }
  Result<SocketAddress> AcceptedPeerName() override { return tcp_->PeerName(true); }
  Result<std::vector<std::byte>> GetOption(int level, int name, size_t length) override;
  Result<void> SetOption(const vfs::Caller& caller, int level, int name,
                         std::span<const std::byte> value) override;
  EventMask Readiness(EventMask mask) override;
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override;

 protected:
  int TakeError() override { return tcp_->TakeError(); }
  bool IsListening() override { return tcp_->IsListening(); }
  std::optional<uint32_t> PathMtu() override;

 private:
  Result<std::vector<std::byte>> GetTcpOption(int name, size_t length);
  Result<void> SetTcpOption(const vfs::Caller& caller, int name, std::span<const std::byte> value);
  Result<void> NoteSocketOption(int name);

  const RefPtr<TcpEndpoint> tcp_;
  TcpOptions options_;
  std::atomic<bool> send_buffer_is_set_{false};
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_TCP_SOCKET_H_
