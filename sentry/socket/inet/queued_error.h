// SPDX-License-Identifier: Apache-2.0
//
// QueuedError: an entry of a socket's error queue (IP_RECVERR, MSG_ERRQUEUE, MSG_ZEROCOPY).
#ifndef SENTRY_SOCKET_INET_QUEUED_ERROR_H_
#define SENTRY_SOCKET_INET_QUEUED_ERROR_H_

#include <cstddef>
#include <vector>

#include "abi/linux/in.h"
#include "sentry/socket/inet/inet_name.h"

namespace redoubt::inet {

struct QueuedError {
  abi::SockExtendedError error;
  InetName destination;            // Where the packet went.
  IpAddress offender;              // Who sent the error; unspecified: nobody.
  std::vector<std::byte> payload;  // Of the packet.
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_QUEUED_ERROR_H_
