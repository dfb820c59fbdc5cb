// SPDX-License-Identifier: Apache-2.0
//
// netlink(7): the AF_NETLINK family. Boot calls RegisterNetlinkFamily(); all else is reached
// through Socket. The protocols: ROUTE (route/), SOCK_DIAG (diag/), GENERIC (generic.h), and two
// that have sockets but nothing to say: KOBJECT_UEVENT, whose events never come, and USERSOCK,
// where only programs talk. Others are EPROTONOSUPPORT.
#ifndef SENTRY_SOCKET_NETLINK_NETLINK_H_
#define SENTRY_SOCKET_NETLINK_NETLINK_H_

#include <string>

#include "sentry/socket/net/network_namespace.h"

namespace redoubt::netlink {

void RegisterNetlinkFamily();

// The rows of /proc/net/netlink.
std::string NetlinkRows(net::NetworkNamespace& network);

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_NETLINK_H_
