// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/inet_name.h"

#include <arpa/inet.h>

#include <cstring>

#include "abi/linux/in.h"

namespace redoubt::inet {

namespace {

template <typename T>
T FromBytes(const SocketAddress& address) {
  T result;
  std::memcpy(&result, address.bytes().data(), std::min(sizeof(T), address.length()));
  return result;
}

template <typename T>
SocketAddress ToAddress(const T& value) {
  return SocketAddress::From(std::as_bytes(std::span(&value, 1))).value();
}

}  // namespace

Result<InetName> ParseInetName(int family, const SocketAddress& address) {
  InetName name;
  if (family == AF_INET) {
    if (address.length() < sizeof(abi::SockaddrIn)) return Errno(EINVAL);
    if (address.family() != AF_INET) return Errno(EAFNOSUPPORT);
    const auto in = FromBytes<abi::SockaddrIn>(address);
    name.address = *IpAddress::FromBytes(std::as_bytes(std::span(&in.address, 1)));
    name.port = ntohs(in.port);
    return name;
  }
  if (address.length() < abi::kSockaddrIn6Shortest) return Errno(EINVAL);
  if (address.family() != AF_INET6) return Errno(EAFNOSUPPORT);
  const auto in = FromBytes<abi::SockaddrIn6>(address);
  name.address = IpAddress::FromBytes(std::as_bytes(std::span(in.address)))->Unmapped();
  name.port = ntohs(in.port);
  if (address.length() >= sizeof(abi::SockaddrIn6)) name.scope = in.scope_id;
  return name;
}

SocketAddress ToSocketAddress(int family, const InetName& name) {
  if (family == AF_INET) {
    abi::SockaddrIn in;
    in.family = AF_INET;
    in.port = htons(name.port);
    if (name.address.is_v4()) in.address = htonl(name.address.v4_host_order());
    return ToAddress(in);
  }
  abi::SockaddrIn6 in;
  in.family = AF_INET6;
  in.port = htons(name.port);
  const IpAddress mapped = name.address.Mapped();
  std::memcpy(in.address, mapped.bytes().data(), sizeof(in.address));
  if (name.address.IsLinkLocal() && name.address.is_v6()) in.scope_id = name.scope;
  return ToAddress(in);
}

}  // namespace redoubt::inet
