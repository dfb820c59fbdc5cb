// SPDX-License-Identifier: Apache-2.0
//
// The filter programs of inet_diag (INET_DIAG_REQ_BYTECODE), as ss(8) makes them of "sport = :80":
// conditional jumps, only forward.
#ifndef SENTRY_SOCKET_NETLINK_DIAG_INET_FILTER_H_
#define SENTRY_SOCKET_NETLINK_DIAG_INET_FILTER_H_

#include "sentry/socket/net/socket_listing.h"
#include "sentry/socket/netlink/message.h"

namespace redoubt::netlink {

class InetFilter {
 public:
  InetFilter() = default;  // Lets all pass.
  // EINVAL for a program with unknown instructions, cut ones, or jumps that do not go forward.
  static Result<InetFilter> Create(ByteSpan program);
  bool Passes(const net::InetSocketInfo& socket) const;

 private:
  Bytes program_;
};

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_DIAG_INET_FILTER_H_
