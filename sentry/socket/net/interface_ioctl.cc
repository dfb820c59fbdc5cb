// SPDX-License-Identifier: Apache-2.0
//
// Linux: net/core/dev_ioctl.c.
#include "sentry/socket/net/interface_ioctl.h"

#include <linux/sockios.h>
#include <sys/socket.h>

#include "sentry/socket/net/interface_ioctl_parts.h"

namespace redoubt::net {

namespace {

using InterfaceChange = NetworkNamespace::InterfaceChange;

Result<InterfaceRequest> Read(NetworkNamespace& network, const vfs::IoctlRequest& ioctl) {
  InterfaceRequest request{.network = network, .ioctl = ioctl, .data = {}, .name = {}, .label = {}};
  TRY(ioctl.memory.CopyIn(ioctl.argument, std::as_writable_bytes(std::span(&request.data, 1))));
  request.data.ifr_name[IFNAMSIZ - 1] = '\0';
  request.label = request.data.ifr_name;
  request.name = request.label.substr(0, request.label.find(':'));
  return request;
}

void PutName(ifreq& data, const std::string& name) {
  std::memset(data.ifr_name, 0, sizeof(data.ifr_name));
  std::memcpy(data.ifr_name, name.data(), std::min(name.size(), sizeof(data.ifr_name) - 1));
}

void PutHardwareAddress(ifreq& data, uint16_t type, const HardwareAddress& address) {
  std::memset(&data.ifr_hwaddr, 0, sizeof(data.ifr_hwaddr));
  data.ifr_hwaddr.sa_family = type;
  std::memcpy(data.ifr_hwaddr.sa_data, address.data(), address.size());
}

// SIOCGIFNAME: by index.
Result<uint64_t> NameOf(InterfaceRequest& request) {
  std::optional<Interface> found = request.network.FindInterface(request.data.ifr_ifindex);
  if (!found) return Errno(ENODEV);
  PutName(request.data, found->name);
  return request.Answer();
}

// dev_ifsioc_locked(), and dev_ifsioc() for what there is nothing of.
Result<uint64_t> Get(InterfaceRequest& request) {
  Interface interface = TRY(request.Find());
  ifreq& data = request.data;
  switch (request.ioctl.command) {
    case SIOCGIFFLAGS:
      data.ifr_flags = static_cast<int16_t>(interface.ShownFlags());
      break;
    case SIOCGIFMETRIC:
      data.ifr_metric = 0;
      break;
    case SIOCGIFMTU:
      data.ifr_mtu = static_cast<int>(interface.mtu);
      break;
    case SIOCGIFHWADDR:
      PutHardwareAddress(data, interface.type, interface.address);
      break;
    case SIOCGIFMAP:
      data.ifr_map = {};
      break;
    case SIOCGIFINDEX:
      data.ifr_ifindex = interface.index;
      break;
    case SIOCGIFTXQLEN:
      data.ifr_qlen = static_cast<int>(interface.tx_queue_length);
      break;
    default:  // SIOCGIFSLAVE
      return Errno(EINVAL);
  }
  return request.Answer();
}

Result<InterfaceChange> ChangeFor(const InterfaceRequest& request, const Interface& interface) {
  const ifreq& data = request.data;
  InterfaceChange change;
  switch (request.ioctl.command) {
    case SIOCSIFFLAGS:
      // Only the half that struct ifreq has.
      change.flags = static_cast<uint16_t>(data.ifr_flags);
      change.flags_mask = 0xffff;
      break;
    case SIOCSIFMTU:
      if (data.ifr_mtu < 0) return Errno(EINVAL);
      change.mtu = static_cast<uint32_t>(data.ifr_mtu);
      break;
    case SIOCSIFTXQLEN:
      if (data.ifr_qlen < 0) return Errno(EINVAL);
      change.tx_queue_length = static_cast<uint32_t>(data.ifr_qlen);
      break;
    case SIOCSIFNAME:
      change.name = std::string(data.ifr_newname, strnlen(data.ifr_newname, IFNAMSIZ - 1));
      break;
    case SIOCSIFHWADDR: {
      if (data.ifr_hwaddr.sa_family != interface.type) return Errno(EINVAL);
      HardwareAddress address;
      std::memcpy(address.data(), data.ifr_hwaddr.sa_data, address.size());
      change.address = address;
      break;
    }
    default:  // SIOCSIFMETRIC, SIOCSIFMAP
      return Errno(EOPNOTSUPP);
  }
  return change;
}

// SIOCSIFFLAGS of an alias ("eth0:1"): down removes its address, the interface stays as it is.
Result<uint64_t> SetAliasFlags(const InterfaceRequest& request) {
  Interface interface = TRY(request.Find());
  for (const InterfaceAddress& address : request.network.Addresses()) {
    if (address.interface_index != interface.index || address.label != request.label) continue;
    if ((request.data.ifr_flags & IFF_UP) != 0) return uint64_t{0};
    TRY(request.network.RemoveAddress(interface.index, address.local, address.prefix_length));
    return uint64_t{0};
  }
  return Errno(EADDRNOTAVAIL);
}

Result<uint64_t> Set(InterfaceRequest& request, bool internet) {
  TRY(request.NeedAdministrator());
  bool alias = request.label != request.name;
  if (alias && internet && request.ioctl.command == SIOCSIFFLAGS) return SetAliasFlags(request);
  Interface interface = TRY(request.Find());
  InterfaceChange change = TRY(ChangeFor(request, interface));
  TRY(request.network.ChangeInterface(interface.index, change));
  return uint64_t{0};
}

}  // namespace

Result<uint64_t> InterfaceIoctl(NetworkNamespace& network, int family,
                                const vfs::IoctlRequest& ioctl) {
  const bool internet = family == AF_INET || family == AF_PACKET;
  switch (ioctl.command) {
    case SIOCGIFCONF:
      return ListAddresses(network, ioctl);
    case SIOCADDRT:
    case SIOCDELRT:
      if (!internet) return Errno(ENOTTY);
      return RouteIoctl(network, ioctl);
    case SIOCGIFNAME: {
      InterfaceRequest request = TRY(Read(network, ioctl));
      return NameOf(request);
    }
    case SIOCGIFFLAGS:
    case SIOCGIFMETRIC:
    case SIOCGIFMTU:
    case SIOCGIFHWADDR:
    case SIOCGIFMAP:
    case SIOCGIFINDEX:
    case SIOCGIFTXQLEN:
    case SIOCGIFSLAVE: {
      InterfaceRequest request = TRY(Read(network, ioctl));
      return Get(request);
    }
    case SIOCSIFFLAGS:
    case SIOCSIFMTU:
    case SIOCSIFTXQLEN:
    case SIOCSIFNAME:
    case SIOCSIFHWADDR:
    case SIOCSIFMETRIC:
    case SIOCSIFMAP: {
      InterfaceRequest request = TRY(Read(network, ioctl));
      return Set(request, internet);
    }
    case SIOCETHTOOL: {
      InterfaceRequest request = TRY(Read(network, ioctl));
      return EthtoolIoctl(request);
    }
    default:
      break;
  }
  if (!internet || !IsAddressIoctl(ioctl.command)) return Errno(ENOTTY);
  InterfaceRequest request = TRY(Read(network, ioctl));
  return AddressIoctl(request);
}

}  // namespace redoubt::net
