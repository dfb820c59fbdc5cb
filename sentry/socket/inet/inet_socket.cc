// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/inet_socket.h"

#include <linux/capability.h>
#include <linux/in6.h>
#include <linux/sockios.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace redoubt::inet {

namespace {

constexpr int kEcnMask = 3;          // INET_ECN_MASK.
constexpr int kTransparentV6 = 75;   // IPV6_TRANSPARENT.
constexpr int kLocalPortRange = 51;  // IP_LOCAL_PORT_RANGE.

bool MayUseForeignAddresses(const vfs::Caller& caller) {
  return caller.HasCapability(CAP_NET_RAW) || caller.HasCapability(CAP_NET_ADMIN);
}

}  // namespace

Result<int32_t> ToInt(std::span<const std::byte> value) {
  int32_t number = 0;
  if (value.size() < sizeof(number)) return Errno(EINVAL);
  std::memcpy(&number, value.data(), sizeof(number));
  return number;
}

Result<uint64_t> GiveInt(const vfs::IoctlRequest& request, int32_t value) {
  TRY(request.memory.CopyOut(request.argument, std::as_bytes(std::span(&value, 1))));
  return uint64_t{0};
}

InetSocket::InetSocket(RefPtr<InetEndpoint> endpoint, int type, int protocol, uint32_t flags,
                       const vfs::Caller& caller)
    : Socket(endpoint->family(), type, protocol, flags, caller), endpoint_(std::move(endpoint)) {
  endpoint_->uid() = caller.uid;
  Result<vfs::Attributes> attributes = inode()->GetAttributes();
  if (attributes.ok()) endpoint_->inode_number() = attributes->inode_number;
}

Result<void> InetSocket::Bind(const vfs::Caller& caller, const SocketAddress& address) {
  return endpoint_->Bind(caller, address);
}

Result<SocketAddress> InetSocket::GetName() { return endpoint_->Name(); }

Result<std::vector<std::byte>> InetSocket::GetSocketOption(int name, size_t length) {
  switch (name) {
    case SO_BINDTODEVICE: {
      const auto device = endpoint_->network().FindInterface(endpoint_->device());
      if (!device) return std::vector<std::byte>();
      if (length < IFNAMSIZ) return Errno(EINVAL);
      const auto* text = reinterpret_cast<const std::byte*>(device->name.c_str());
      return std::vector<std::byte>(text, text + device->name.size() + 1);
    }
    case SO_BINDTOIFINDEX:
      return ToBytes(int32_t{endpoint_->device()});
    case SO_COOKIE:
      if (length < sizeof(uint64_t)) return Errno(EINVAL);
      return ToBytes(endpoint_->cookie());
    case SO_MARK:
      return ToBytes(mark_.load(std::memory_order_relaxed));
    case SO_INCOMING_CPU:
      return ToBytes(int32_t{0});
    case SO_INCOMING_NAPI_ID:
    case SO_BUSY_POLL:
    case SO_NO_CHECK:
    case SO_TIMESTAMPING:
      return ToBytes(int32_t{0});
    default:
      return Socket::GetOption(SOL_SOCKET, name, length);
  }
}

// sock_setsockopt()'s SO_BINDTODEVICE: an empty name unbinds.
Result<void> InetSocket::BindToDevice(const vfs::Caller& caller, std::span<const std::byte> name) {
  if (endpoint_->device() != 0 && !caller.HasCapability(CAP_NET_RAW)) return Errno(EPERM);
  const size_t length = std::min<size_t>(name.size(), IFNAMSIZ - 1);
  const auto* text = reinterpret_cast<const char*>(name.data());
  const std::string wanted(text, strnlen(text, length));
  if (wanted.empty()) {
    endpoint_->SetDevice(0);
    return {};
  }
  const auto device = endpoint_->network().FindInterface(wanted);
  if (!device) return Errno(ENODEV);
  endpoint_->SetDevice(device->index);
  return {};
}

Result<void> InetSocket::SetSocketOption(const vfs::Caller& caller, int name,
                                         std::span<const std::byte> value) {
  switch (name) {
    case SO_BINDTODEVICE:
      return BindToDevice(caller, value);
    case SO_BINDTOIFINDEX: {
      const int32_t index = TRY(ToInt(value));
      if (index != 0 && !endpoint_->network().FindInterface(index)) return Errno(ENODEV);
      endpoint_->SetDevice(index);
      return {};
    }
    case SO_MARK: {
      const int32_t mark = TRY(ToInt(value));
      if (!MayUseForeignAddresses(caller)) return Errno(EPERM);
      mark_.store(static_cast<uint32_t>(mark), std::memory_order_relaxed);
      return {};
    }
    case SO_BUSY_POLL:
    case SO_INCOMING_CPU:
    case SO_NO_CHECK:
      TRY(ToInt(value));
      return {};
    case SO_REUSEADDR:
    case SO_REUSEPORT:
      TRY(Socket::SetOption(caller, SOL_SOCKET, name, value));
      endpoint_->SetReuse(HasOption(SO_REUSEADDR), HasOption(SO_REUSEPORT));
      return {};
    default:
      return Socket::SetOption(caller, SOL_SOCKET, name, value);
  }
}

Result<std::vector<std::byte>> InetSocket::GetIpOption(int level, int name, size_t length) {
  if (level == SOL_IPV6 && name == IPV6_V6ONLY) return ToBytes(int32_t{endpoint_->v6_only()});
  if ((level == SOL_IP && name == IP_MTU) || (level == SOL_IPV6 && name == IPV6_MTU)) {
    const std::optional<uint32_t> mtu = PathMtu();
    if (!mtu && level == SOL_IP) return Errno(ENOTCONN);
    // An IPv4 packet is never longer than this, whatever the interface takes.
    return ToBytes(level == SOL_IP ? std::min(*mtu, 65535u) : mtu.value_or(0));
  }
  if (level == SOL_IP && name == IP_OPTIONS) return std::vector<std::byte>();
  if (level == SOL_IP && name == kLocalPortRange) return ToBytes(uint32_t{0});
  if (IpOptions::Knows(level, name)) return endpoint_->options().Show(level, name, length);
  return GetGroupOption(level, name);
}

Result<void> InetSocket::SetIpOption(const vfs::Caller& caller, int level, int name,
                                     std::span<const std::byte> value) {
  if (level == SOL_IPV6 && name == IPV6_V6ONLY) {
    return endpoint_->SetV6Only(TRY(ToInt(value)) != 0);
  }
  if (level == SOL_IP && name == IP_OPTIONS) {
    return value.empty() ? Result<void>() : Errno(EINVAL);
  }
  const bool transparent =
      (level == SOL_IP && name == IP_TRANSPARENT) || (level == SOL_IPV6 && name == kTransparentV6);
  if (transparent && !MayUseForeignAddresses(caller)) return Errno(EPERM);
  if (type() == SOCK_STREAM) {
    const bool datagrams_only =
        (level == SOL_IP && (name == IP_MULTICAST_TTL || name == IP_MULTICAST_IF)) ||
        (level == SOL_IPV6 && name == IPV6_MULTICAST_HOPS);
    if (datagrams_only) return Errno(EINVAL);
  }
  if (level == SOL_IP && name == IP_TOS && type() == SOCK_STREAM && !value.empty()) {
    // The congestion bits of a stream are TCP's.
    int32_t tos = value.size() >= sizeof(tos) ? TRY(ToInt(value)) : static_cast<int32_t>(value[0]);
    tos &= ~kEcnMask;
    return endpoint_->mutable_options().Set(level, name, std::as_bytes(std::span(&tos, 1)));
  }
  if (IpOptions::Knows(level, name)) return endpoint_->mutable_options().Set(level, name, value);
  return SetGroupOption(caller, level, name, value);
}

Result<std::vector<std::byte>> InetSocket::GetOption(int level, int name, size_t length) {
  if (level == SOL_SOCKET) return GetSocketOption(name, length);
  if (level == SOL_IP || (level == SOL_IPV6 && family() == AF_INET6)) {
    return GetIpOption(level, name, length);
  }
  return Errno(family() == AF_INET6 ? ENOPROTOOPT : EOPNOTSUPP);
}

Result<void> InetSocket::SetOption(const vfs::Caller& caller, int level, int name,
                                   std::span<const std::byte> value) {
  if (level == SOL_SOCKET) return SetSocketOption(caller, name, value);
  if (level == SOL_IP || (level == SOL_IPV6 && family() == AF_INET6)) {
    return SetIpOption(caller, level, name, value);
  }
  return Errno(ENOPROTOOPT);
}

}  // namespace redoubt::inet
