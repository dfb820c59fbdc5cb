// SPDX-License-Identifier: Apache-2.0
//
// ip(7), ipv6(7): the AF_INET and AF_INET6 families between sockets of one sandbox, joined in
// memory. Boot calls RegisterInetFamilies(); everything else is reached through Socket, and through
// net::InetSocketSource for listings.
#ifndef SENTRY_SOCKET_INET_INET_H_
#define SENTRY_SOCKET_INET_INET_H_

namespace redoubt::inet {

void RegisterInetFamilies();

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_INET_H_
