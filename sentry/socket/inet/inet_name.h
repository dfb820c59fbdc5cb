// SPDX-License-Identifier: Apache-2.0
//
// InetName: what a struct sockaddr_in or sockaddr_in6 says. Inside, a mapped address
// (::ffff:1.2.3.4) is always the IPv4 address that it means; how it is shown follows from the
// socket's family.
//
//   InetName name = TRY(ParseInetName(AF_INET6, address));
//   return ToSocketAddress(AF_INET6, name);       // 1.2.3.4 becomes ::ffff:1.2.3.4.
#ifndef SENTRY_SOCKET_INET_INET_NAME_H_
#define SENTRY_SOCKET_INET_INET_NAME_H_

#include <cstdint>
#include <utility>

#include "sentry/socket/address.h"
#include "sentry/socket/net/ip_address.h"

namespace redoubt::inet {

using net::IpAddress;
using sockets::SocketAddress;

struct InetName {
  IpAddress address;
  uint16_t port = 0;   // Host order.
  uint32_t scope = 0;  // sin6_scope_id.

  friend bool operator==(const InetName& a, const InetName& b) {
    return a.address == b.address && a.port == b.port;
  }
  template <typename H>
  friend H AbslHashValue(H h, const InetName& name) {
    return H::combine(std::move(h), name.address, name.port);
  }
};

// `family` is the socket's. EINVAL for a short one, EAFNOSUPPORT for another family's.
Result<InetName> ParseInetName(int family, const SocketAddress& address);
SocketAddress ToSocketAddress(int family, const InetName& name);

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_INET_NAME_H_
