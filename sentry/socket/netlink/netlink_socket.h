// SPDX-License-Identifier: Apache-2.0
//
// NetlinkSocket: an Endpoint as an open file: addresses, options, sending. A message to the kernel
// is served at once, by the thread that sends it; the answers wait in its own queue.
#ifndef SENTRY_SOCKET_NETLINK_NETLINK_SOCKET_H_
#define SENTRY_SOCKET_NETLINK_NETLINK_SOCKET_H_

#include "sentry/socket/netlink/protocol.h"
#include "sentry/socket/socket.h"

namespace redoubt::netlink {

class NetlinkSocket : public sockets::Socket {
 public:
  NetlinkSocket(NetlinkProtocol& protocol, int type, int number, uint32_t flags,
                const vfs::Caller& caller);
  ~NetlinkSocket() override;

  Result<void> Bind(const vfs::Caller& caller, const sockets::SocketAddress& address) override;
  Result<void> Connect(const vfs::Caller& caller, const sockets::SocketAddress& address) override;
  Result<void> Listen(const vfs::Caller&, int) override { return Errno(EOPNOTSUPP); }
  Result<RefPtr<Socket>> Accept(const vfs::Caller&, uint32_t) override { return Errno(EOPNOTSUPP); }
  Result<size_t> SendMessage(sockets::SendRequest& request) override;
  Result<sockets::ReceiveResult> ReceiveMessage(const sockets::ReceiveRequest& request) override;
  Result<void> Shutdown(sockets::ShutdownHow) override { return Errno(EOPNOTSUPP); }
  Result<sockets::SocketAddress> GetName() override;
  Result<sockets::SocketAddress> GetPeerName() override;
  Result<std::vector<std::byte>> GetOption(int level, int name, size_t length) override;
  Result<void> SetOption(const vfs::Caller& caller, int level, int name,
                         std::span<const std::byte> value) override;

  // A datagram must be seen whole.
  size_t atomic_size() const override { return 128 * 1024; }
  EventMask Readiness(EventMask mask) override { return endpoint_->Readiness(mask); }
  WaitQueue* wait_queue() override { return &endpoint_->wait_queue(); }

 protected:
  int TakeError() override { return endpoint_->TakeError(); }

 private:
  struct Destination {
    uint32_t port = 0;
    uint32_t group = 0;  // 1...; 0 none.
  };
  Result<Destination> ParseDestination(const vfs::Caller& caller,
                                       const sockets::SocketAddress& address);
  Result<void> BindIfUnbound(const vfs::Caller& caller);
  Result<void> CheckMayListen(const vfs::Caller& caller) const;
  Result<void> ChangeMembership(const vfs::Caller& caller, int32_t group, bool join);
  Result<void> Deliver(const sockets::SendRequest& request, const Destination& destination);
  bool IsOn(int option) const;

  NetlinkProtocol& kernel_side_;
  const RefPtr<net::NetworkNamespace> network_;
  const uint64_t opener_capabilities_;
  const RefPtr<Endpoint> endpoint_;
  std::atomic<uint32_t> options_{0};  // NETLINK_* booleans, by number.
  std::atomic<bool> pass_credentials_{false};
  std::atomic<uint32_t> peer_port_{0}, peer_group_{0};
};

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_NETLINK_SOCKET_H_
