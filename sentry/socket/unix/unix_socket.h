// SPDX-License-Identifier: Apache-2.0
//
// UnixSocket: an Endpoint as an open file.
#ifndef SENTRY_SOCKET_UNIX_UNIX_SOCKET_H_
#define SENTRY_SOCKET_UNIX_UNIX_SOCKET_H_

#include "sentry/socket/socket.h"
#include "sentry/socket/unix/endpoint.h"

namespace redoubt::sockets {

class UnixSocket : public Socket {
 public:
  UnixSocket(RefPtr<Endpoint> endpoint, uint32_t flags, const vfs::Caller& caller);
  ~UnixSocket() override;

  const RefPtr<Endpoint>& endpoint() const { return endpoint_; }

  Result<void> Bind(const vfs::Caller& caller, const SocketAddress& address) override;
  Result<void> Connect(const vfs::Caller& caller, const SocketAddress& address) override;
  Result<void> Listen(const vfs::Caller& caller, int backlog) override;
  Result<RefPtr<Socket>> Accept(const vfs::Caller& caller, uint32_t flags) override;
  Result<size_t> SendMessage(SendRequest& request) override;
  Result<ReceiveResult> ReceiveMessage(const ReceiveRequest& request) override;
  void Unread(std::span<const std::byte> data) override { endpoint_->Unread(data); }
  Result<void> Shutdown(ShutdownHow how) override;
  Result<SocketAddress> GetName() override;
  Result<SocketAddress> GetPeerName() override;
  Result<std::vector<std::byte>> GetOption(int level, int name, size_t length) override;
  Result<void> SetOption(const vfs::Caller& caller, int level, int name,
                         std::span<const std::byte> value) override;

  size_t atomic_size() const override;
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override { return &endpoint_->wait_queue(); }
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override;  // SIOCINQ, SIOCOUTQ.

 protected:
  int TakeError() override { return endpoint_->TakeError(); }
  bool IsListening() override { return endpoint_->IsListening(); }

 private:
  const RefPtr<Endpoint> endpoint_;
};

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_UNIX_UNIX_SOCKET_H_
