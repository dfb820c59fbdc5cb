// SPDX-License-Identifier: Apache-2.0
//
// What the files of interface_ioctl share.
#ifndef SENTRY_SOCKET_NET_INTERFACE_IOCTL_PARTS_H_
#define SENTRY_SOCKET_NET_INTERFACE_IOCTL_PARTS_H_

#include <net/if.h>

#include <cstring>
#include <optional>
#include <string>

#include "sentry/socket/net/interface_ioctl.h"

namespace redoubt::net {

// One ioctl with a struct ifreq, copied in once.
struct InterfaceRequest {
  NetworkNamespace& network;
  const vfs::IoctlRequest& ioctl;
  ifreq data{};
  std::string name;   // Of the interface: without an alias.
  std::string label;  // With it: "eth0:1".

  Result<uint64_t> Answer() const {
    TRY(ioctl.memory.CopyOut(ioctl.argument, std::as_bytes(std::span(&data, 1))));
    return uint64_t{0};
  }
  // EPERM.
  Result<void> NeedAdministrator() const {
    if (!ioctl.caller.HasCapability(CAP_NET_ADMIN)) return Errno(EPERM);
    return {};
  }
  // ENODEV.
  Result<Interface> Find() const {
    std::optional<Interface> found = network.FindInterface(std::string_view(name));
    if (!found) return Errno(ENODEV);
    return *std::move(found);
  }
};

// SIOC[GS]IF{ADDR,NETMASK,BRDADDR,DSTADDR}: devinet_ioctl().
bool IsAddressIoctl(uint32_t command);
Result<uint64_t> AddressIoctl(InterfaceRequest& request);
// SIOCGIFCONF.
Result<uint64_t> ListAddresses(NetworkNamespace& network, const vfs::IoctlRequest& ioctl);
// SIOCETHTOOL.
Result<uint64_t> EthtoolIoctl(InterfaceRequest& request);
// SIOCADDRT, SIOCDELRT.
Result<uint64_t> RouteIoctl(NetworkNamespace& network, const vfs::IoctlRequest& ioctl);

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_INTERFACE_IOCTL_PARTS_H_
