// SPDX-License-Identifier: Apache-2.0
//
// UdpSocket: a UdpEndpoint as an open file, with the control messages and the options of udp(7) and
// of multicast.
#ifndef SENTRY_SOCKET_INET_UDP_SOCKET_H_
#define SENTRY_SOCKET_INET_UDP_SOCKET_H_

#include "sentry/socket/inet/inet_socket.h"
#include "sentry/socket/inet/udp_endpoint.h"

namespace redoubt::inet {

class UdpSocket : public InetSocket {
 public:
  UdpSocket(RefPtr<UdpEndpoint> endpoint, int protocol, uint32_t flags, const vfs::Caller& caller);
  ~UdpSocket() override;

  Result<void> Connect(const vfs::Caller& caller, const SocketAddress& address) override;
  Result<void> Listen(const vfs::Caller& caller, int backlog) override { return Errno(EOPNOTSUPP); }
  Result<RefPtr<sockets::Socket>> Accept(const vfs::Caller& caller, uint32_t flags) override {
    return Errno(EOPNOTSUPP);
  }
  Result<size_t> SendMessage(sockets::SendRequest& request) override;
  Result<sockets::ReceiveResult> ReceiveMessage(const sockets::ReceiveRequest& request) override;
  Result<void> Shutdown(sockets::ShutdownHow how) override;
  Result<SocketAddress> GetPeerName() override { return udp_->PeerName(); }
  Result<std::vector<std::byte>> GetOption(int level, int name, size_t length) override;
  Result<void> SetOption(const vfs::Caller& caller, int level, int name,
                         std::span<const std::byte> value) override;
  size_t atomic_size() const override { return 65536; }
  EventMask Readiness(EventMask mask) override { return udp_->Readiness(mask); }
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override;

 protected:
  int TakeError() override { return udp_->TakeError(); }
  std::optional<uint32_t> PathMtu() override;
  // group_options.cc
  Result<void> SetGroupOption(const vfs::Caller& caller, int level, int name,
                              std::span<const std::byte> value) override;
  Result<std::vector<std::byte>> GetGroupOption(int level, int name) override;

 private:
  Result<void> ReadControl(std::span<const std::byte> messages, DatagramSettings& settings) const;
  void PutControl(const Datagram& datagram, std::vector<std::byte>& out) const;
  Result<void> SetUdpOption(int name, std::span<const std::byte> value);
  Result<std::vector<std::byte>> GetUdpOption(int name) const;

  const RefPtr<UdpEndpoint> udp_;
  std::atomic<bool> corked_{false};
  std::atomic<bool> coalesces_{false};  // UDP_GRO: allowed, never done.
  std::atomic<uint16_t> segment_{0};    // UDP_SEGMENT.
  std::atomic<int32_t> encapsulation_{0};
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_UDP_SOCKET_H_
