// SPDX-License-Identifier: Apache-2.0
//
// ip(7), ipv6(7): the AF_INET and AF_INET6 families between sockets of one sandbox, joined in
// memory. Boot calls RegisterInetFamilies(); everything else is reached through Socket, and through
// net::InetSocketSource for listings.
#ifndef SENTRY_SOCKET_INET_INET_H_
#define SENTRY_SOCKET_INET_INET_H_

#include "sentry/time/timer_queue.h"

namespace redoubt::inet {

void RegisterInetFamilies();
// Once the kernel is there, whose queue lives as long as the process: TCP's time-outs come from now
// on.
void StartTimers(time::TimerQueue& queue);

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_INET_H_
