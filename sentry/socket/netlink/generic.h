// SPDX-License-Identifier: Apache-2.0
//
// NETLINK_GENERIC: only its controller ("nlctrl", genetlink's directory), so that programs learn
// that the families they look for are not there and fall back.
#ifndef SENTRY_SOCKET_NETLINK_GENERIC_H_
#define SENTRY_SOCKET_NETLINK_GENERIC_H_

#include "sentry/socket/netlink/protocol.h"

namespace redoubt::netlink {

class GenericProtocol : public NetlinkProtocol {
 public:
  uint32_t group_count() const override { return 63; }
  Result<void> Handle(Request& request) override;
};

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_GENERIC_H_
