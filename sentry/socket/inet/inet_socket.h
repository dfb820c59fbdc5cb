// SPDX-License-Identifier: Apache-2.0
//
// InetSocket: an InetEndpoint as an open file: what TCP, UDP and echo sockets have alike: bind,
// names, options of SOL_SOCKET, SOL_IP and SOL_IPV6.
#ifndef SENTRY_SOCKET_INET_INET_SOCKET_H_
#define SENTRY_SOCKET_INET_INET_SOCKET_H_

#include <optional>
#include <vector>

#include "sentry/socket/inet/inet_endpoint.h"
#include "sentry/socket/socket.h"

namespace redoubt::inet {

class InetSocket : public sockets::Socket {
 public:
  Result<void> Bind(const vfs::Caller& caller, const SocketAddress& address) override;
  Result<SocketAddress> GetName() override;
  Result<std::vector<std::byte>> GetOption(int level, int name, size_t length) override;
  Result<void> SetOption(const vfs::Caller& caller, int level, int name,
                         std::span<const std::byte> value) override;
  WaitQueue* wait_queue() override { return &endpoint_->wait_queue(); }

 protected:
  InetSocket(RefPtr<InetEndpoint> endpoint, int type, int protocol, uint32_t flags,
             const vfs::Caller& caller);

  InetEndpoint& endpoint() { return *endpoint_; }
  // The route's MTU to the connected peer; nothing when there is none.
  virtual std::optional<uint32_t> PathMtu() = 0;
  // Options of SOL_IP and SOL_IPV6 that only datagram sockets have (multicast). ENOPROTOOPT.
  virtual Result<void> SetGroupOption(const vfs::Caller& caller, int level, int name,
                                      std::span<const std::byte> value) {
    return Errno(ENOPROTOOPT);
  }
  virtual Result<std::vector<std::byte>> GetGroupOption(int level, int name) {
    return Errno(ENOPROTOOPT);
  }

 private:
  Result<std::vector<std::byte>> GetSocketOption(int name, size_t length);
  Result<void> SetSocketOption(const vfs::Caller& caller, int name,
                               std::span<const std::byte> value);
  Result<void> BindToDevice(const vfs::Caller& caller, std::span<const std::byte> name);
  Result<std::vector<std::byte>> GetIpOption(int level, int name, size_t length);
  Result<void> SetIpOption(const vfs::Caller& caller, int level, int name,
                           std::span<const std::byte> value);

  const RefPtr<InetEndpoint> endpoint_;
  std::atomic<uint32_t> mark_{0};
};

// Bytes of a value, and an int from bytes (EINVAL when there are too few).
template <typename T>
std::vector<std::byte> ToBytes(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}
Result<int32_t> ToInt(std::span<const std::byte> value);
Result<uint64_t> GiveInt(const vfs::IoctlRequest& request, int32_t value);

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_INET_SOCKET_H_
