// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/network.h"

#include "sentry/fs/proc/net_rows.h"
#include "sentry/socket/net/network_namespace.h"
#include "sentry/socket/netlink/netlink.h"
#include "sentry/socket/unix/unix.h"

namespace redoubt::boot {

void RegisterNetwork() {
  (void)net::NetworkNamespace::Initial();  // Its lo comes up.
  sockets::RegisterUnixFamily();
  netlink::RegisterNetlinkFamily();
  proc::SetNetRows("unix", [](net::NetworkNamespace&) { return sockets::UnixRows(); });
  proc::SetNetRows("netlink", &netlink::NetlinkRows);
}

}  // namespace redoubt::boot
