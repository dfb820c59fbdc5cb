// SPDX-License-Identifier: Apache-2.0
//
// Linux: net/ipv4/devinet.c.
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>

#include <bit>

#include "sentry/socket/net/interface_ioctl_parts.h"

namespace redoubt::net {

namespace {

void PutAddress(sockaddr& to, uint32_t host_order) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host_order);
  std::memcpy(&to, &address, sizeof(to));
}

uint32_t MaskOf(int prefix_length) {
  return prefix_length == 0 ? 0 : ~uint32_t{0} << (32 - prefix_length);
}

// The address that the request means: that of its label, and with AF_INET in it the one it tells.
std::optional<InterfaceAddress> FindAddress(const InterfaceRequest& request,
                                            const Interface& interface) {
  std::optional<InterfaceAddress> found;
  sockaddr_in told{};
  std::memcpy(&told, &request.data.ifr_addr, sizeof(told));
  for (const InterfaceAddress& address : request.network.Addresses()) {
    if (address.interface_index != interface.index || !address.local.is_v4()) continue;
    if (address.label != request.label) continue;
    bool meant =
        told.sin_family == AF_INET && address.local.v4_host_order() == ntohl(told.sin_addr.s_addr);
    if (meant) return address;
    if (!found) found = address;
  }
  return found;
}

Result<uint64_t> Get(InterfaceRequest& request) {
  Interface interface = TRY(request.Find());
  std::optional<InterfaceAddress> address = FindAddress(request, interface);
  if (!address) return Errno(EADDRNOTAVAIL);
  sockaddr& to = request.data.ifr_addr;
  switch (request.ioctl.command) {
    case SIOCGIFADDR:
      PutAddress(to, address->local.v4_host_order());
      break;
    case SIOCGIFBRDADDR:
      PutAddress(to, address->broadcast ? address->broadcast->v4_host_order() : 0);
      break;
    case SIOCGIFDSTADDR:
      PutAddress(to, address->peer.v4_host_order());
      break;
    default:  // SIOCGIFNETMASK
      PutAddress(to, MaskOf(address->prefix_length));
      break;
  }
  return request.Answer();
}

// inet_abc_len(): the prefix of the address's class.
int ClassPrefix(uint32_t address) {
  if ((address >> 31) == 0) return address == 0 ? 0 : 8;
  if ((address >> 30) == 2) return 16;
  return (address >> 29) == 6 ? 24 : 32;
}

void TakePrefix(InterfaceAddress& address, const Interface& interface, int length) {
  address.prefix_length = static_cast<uint8_t>(length);
  address.broadcast.reset();
  if ((interface.flags & IFF_BROADCAST) != 0 && length < 31) {
    address.broadcast = address.local.Broadcast(length);
  }
}

Result<void> Modify(const InterfaceRequest& request, const Interface& interface,
                    InterfaceAddress& address, uint32_t told) {
  switch (request.ioctl.command) {
    case SIOCSIFADDR:
      address.local = address.peer = IpAddress::V4(told);
      TakePrefix(address, interface, ClassPrefix(told));
      break;
    case SIOCSIFNETMASK: {
      int length = std::countl_one(told);
      if (MaskOf(length) != told) return Errno(EINVAL);
      TakePrefix(address, interface, length);
      break;
    }
    case SIOCSIFBRDADDR:
      address.broadcast = IpAddress::V4(told);
      break;
    default:  // SIOCSIFDSTADDR
      address.peer = IpAddress::V4(told);
      address.prefix_length = 32;
      break;
  }
  return {};
}

Result<uint64_t> Set(InterfaceRequest& request) {
  TRY(request.NeedAdministrator());
  sockaddr_in told{};
  std::memcpy(&told, &request.data.ifr_addr, sizeof(told));
  if (told.sin_family != AF_INET) return Errno(EINVAL);
  Interface interface = TRY(request.Find());
  request.data.ifr_addr.sa_family = AF_UNSPEC;  // It tells the new address, not which one.
  std::optional<InterfaceAddress> known = FindAddress(request, interface);
  const bool sets_address = request.ioctl.command == SIOCSIFADDR;
  if (!known && !sets_address) return Errno(EADDRNOTAVAIL);
  InterfaceAddress address;
  if (known) address = *known;
  address.interface_index = interface.index;
  address.label = request.label;
  address.flags = IFA_F_PERMANENT;
  TRY(Modify(request, interface, address, ntohl(told.sin_addr.s_addr)));
  if (sets_address) address.scope = address.local.IsLoopback() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  if (known) {
    TRY(request.network.RemoveAddress(interface.index, known->local, known->prefix_length));
  }
  if (!address.local.IsUnspecified()) TRY(request.network.AddAddress(std::move(address)));
  return uint64_t{0};
}

}  // namespace

bool IsAddressIoctl(uint32_t command) {
  switch (command) {
    case SIOCGIFADDR:
    case SIOCGIFBRDADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFNETMASK:
    case SIOCSIFADDR:
    case SIOCSIFBRDADDR:
    case SIOCSIFDSTADDR:
    case SIOCSIFNETMASK:
      return true;
    default:
      return false;
  }
}

Result<uint64_t> AddressIoctl(InterfaceRequest& request) {
  switch (request.ioctl.command) {
    case SIOCSIFADDR:
    case SIOCSIFBRDADDR:
    case SIOCSIFDSTADDR:
    case SIOCSIFNETMASK:
      return Set(request);
    default:
      return Get(request);
  }
}

// inet_gifconf(): one entry for each v4 address. Without a buffer only the size that it would need.
Result<uint64_t> ListAddresses(NetworkNamespace& network, const vfs::IoctlRequest& ioctl) {
  struct {
    int32_t length;
    int32_t padding;
    uint64_t buffer;
  } list;
  static_assert(sizeof(list) == sizeof(ifconf));
  TRY(ioctl.memory.CopyIn(ioctl.argument, std::as_writable_bytes(std::span(&list, 1))));
  size_t capacity = list.length > 0 ? static_cast<size_t>(list.length) : 0;
  std::vector<std::byte> out;
  for (const InterfaceAddress& address : network.Addresses()) {
    if (!address.local.is_v4()) continue;
    if (list.buffer != 0 && out.size() + sizeof(ifreq) > capacity) break;
    ifreq entry{};
    std::memcpy(entry.ifr_name, address.label.data(),
                std::min(address.label.size(), sizeof(entry.ifr_name) - 1));
    PutAddress(entry.ifr_addr, address.local.v4_host_order());
    auto bytes = std::as_bytes(std::span(&entry, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  list.length = static_cast<int32_t>(out.size());
  if (list.buffer != 0) TRY(ioctl.memory.CopyOut(list.buffer, out));
  TRY(ioctl.memory.CopyOut(ioctl.argument, std::as_bytes(std::span(&list, 1))));
  return uint64_t{0};
}

}  // namespace redoubt::net
