// SPDX-License-Identifier: Apache-2.0
//
// SIOCADDRT and SIOCDELRT, what route(8) uses: rtentry_to_fib_config().
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <net/route.h>
#include <netinet/in.h>

#include <bit>

#include "sentry/socket/net/interface_ioctl_parts.h"

namespace redoubt::net {

namespace {

std::optional<uint32_t> AddressIn(const sockaddr& bytes) {
  sockaddr_in address{};
  std::memcpy(&address, &bytes, sizeof(address));
  if (address.sin_family != AF_INET) return std::nullopt;
  return ntohl(address.sin_addr.s_addr);
}

Result<int> DeviceOf(NetworkNamespace& network, const vfs::IoctlRequest& ioctl, uint64_t name) {
  if (name == 0) return 0;
  std::array<char, IFNAMSIZ> text{};
  TRY(ioctl.memory.CopyIn(name, std::as_writable_bytes(std::span(text).first(IFNAMSIZ - 1))));
  std::string_view label(text.data());
  std::optional<Interface> found = network.FindInterface(label.substr(0, label.find(':')));
  if (!found) return Errno(ENODEV);
  return found->index;
}

}  // namespace

Result<uint64_t> RouteIoctl(NetworkNamespace& network, const vfs::IoctlRequest& ioctl) {
  if (!ioctl.caller.HasCapability(CAP_NET_ADMIN)) return Errno(EPERM);
  rtentry entry;
  TRY(ioctl.memory.CopyIn(ioctl.argument, std::as_writable_bytes(std::span(&entry, 1))));
  const bool adds = ioctl.command == SIOCADDRT;
  std::optional<uint32_t> destination = AddressIn(entry.rt_dst);
  if (!destination) return Errno(EAFNOSUPPORT);
  uint32_t mask = 0xffffffff;
  if ((entry.rt_flags & RTF_HOST) == 0) {
    // Without a family it is taken as it is.
    sockaddr_in told{};
    std::memcpy(&told, &entry.rt_genmask, sizeof(told));
    mask = ntohl(told.sin_addr.s_addr);
    if (told.sin_family != AF_INET && (mask != 0 || told.sin_family != 0)) {
      return Errno(EAFNOSUPPORT);
    }
  }
  int length = std::countl_one(mask);
  if (length < 32 && (mask << length) != 0) return Errno(EINVAL);
  if ((*destination & ~mask) != 0) return Errno(EINVAL);
  Route route;
  route.family = AF_INET;
  route.destination = IpAddress::V4(*destination);
  route.prefix_length = static_cast<uint8_t>(length);
  route.scope = RT_SCOPE_LINK;
  if (!adds) route.type = RTN_UNSPEC;
  if (!adds) route.protocol = RTPROT_UNSPEC;
  if ((entry.rt_flags & RTF_REJECT) != 0) route.type = RTN_UNREACHABLE;
  if (entry.rt_metric > 0) route.metric = static_cast<uint32_t>(entry.rt_metric - 1);
  if ((entry.rt_flags & RTF_MTU) != 0) route.mtu = static_cast<uint32_t>(entry.rt_mtu);
  route.interface_index = TRY(DeviceOf(network, ioctl, reinterpret_cast<uintptr_t>(entry.rt_dev)));
  std::optional<uint32_t> gateway = AddressIn(entry.rt_gateway);
  if (gateway && *gateway != 0 && (entry.rt_flags & RTF_GATEWAY) != 0) {
    route.gateway = IpAddress::V4(*gateway);
    route.scope = RT_SCOPE_UNIVERSE;
  } else if ((entry.rt_flags & RTF_GATEWAY) != 0) {
    return Errno(EINVAL);
  }
  if (!adds) {
    route.scope = RT_SCOPE_NOWHERE;
    TRY(network.RemoveRoute(route));
    return uint64_t{0};
  }
  TRY(network.AddRoute(std::move(route), {.create = true, .exclusive = true}));
  return uint64_t{0};
}

}  // namespace redoubt::net
