// SPDX-License-Identifier: Apache-2.0
//
// netdevice(7): the ioctls that any socket serves about interfaces. Addresses and routes only
// through the sockets of AF_INET (and AF_PACKET), as on Linux.
#ifndef SENTRY_SOCKET_NET_INTERFACE_IOCTL_H_
#define SENTRY_SOCKET_NET_INTERFACE_IOCTL_H_

#include "sentry/socket/net/network_namespace.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::net {

// ENOTTY for what is no such ioctl.
Result<uint64_t> InterfaceIoctl(NetworkNamespace& network, int family,
                                const vfs::IoctlRequest& request);

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_INTERFACE_IOCTL_H_
