// SPDX-License-Identifier: Apache-2.0
//
// sock_diag(7): NETLINK_SOCK_DIAG, with which ss(8) lists sockets. inet_diag.cc asks the protocols
// of AF_INET and AF_INET6 through net::InetSocketSource; unix_diag.cc and netlink_diag.cc ask their
// families' own lists.
#ifndef SENTRY_SOCKET_NETLINK_DIAG_DIAG_PROTOCOL_H_
#define SENTRY_SOCKET_NETLINK_DIAG_DIAG_PROTOCOL_H_

#include "sentry/socket/netlink/protocol.h"

namespace redoubt::netlink {

class DiagProtocol : public NetlinkProtocol {
 public:
  Result<void> Handle(Request& request) override;
};

Result<void> DiagInet(Request& request);
Result<void> DestroyInet(Request& request);
Result<void> DiagUnix(Request& request);
Result<void> DiagNetlink(Request& request);

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_DIAG_DIAG_PROTOCOL_H_
