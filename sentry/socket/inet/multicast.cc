// SPDX-License-Identifier: Apache-2.0
//
// Multicast groups of datagram sockets (net/ipv4/igmp.c, net/ipv6/mcast.c).
#include <algorithm>

#include "sentry/socket/inet/udp_endpoint.h"

namespace redoubt::inet {

namespace {

constexpr size_t kMostGroups = 256;  // Whatever the setting says.

// The interface that has an address; 0: none.
int InterfaceWith(net::NetworkNamespace& network, const IpAddress& address) {
  for (const net::InterfaceAddress& known : network.Addresses()) {
    if (known.local == address) return known.interface_index;
  }
  return 0;
}

}  // namespace

// ip_mc_find_dev().
Result<int> UdpEndpoint::FindGroupInterface(const IpAddress& group,
                                            const IpAddress& interface_address,
                                            int interface_index) {
  if (interface_index != 0) {
    if (!network_->FindInterface(interface_index)) return Errno(ENODEV);
    return interface_index;
  }
  if (!interface_address.IsUnspecified()) {
    const int index = InterfaceWith(*network_, interface_address);
    if (index == 0) return Errno(ENODEV);
    return index;
  }
  const auto route = network_->FindRoute({.destination = group});
  if (!route.ok()) return Errno(ENODEV);
  return route->interface_index;
}

Result<void> UdpEndpoint::JoinGroup(const IpAddress& group, const IpAddress& interface_address,
                                    int interface_index) {
  if (!group.IsMulticast()) return Errno(EINVAL);
  const int index = TRY(FindGroupInterface(group, interface_address, interface_index));
  const GroupName name{group, index};
  const auto most = std::min<size_t>(
      kMostGroups,
      static_cast<size_t>(network_->settings().Get(net::Setting::kMaximumMemberships)));
  {
    MutexLock lock(&mu_);
    if (std::find(groups_.begin(), groups_.end(), name) != groups_.end()) return Errno(EADDRINUSE);
    if (groups_.size() >= (group.is_v4() ? most : kMostGroups)) return Errno(ENOBUFS);
    groups_.push_back(name);
  }
  stack().JoinGroup(name);
  return {};
}

Result<void> UdpEndpoint::LeaveGroup(const IpAddress& group, const IpAddress& interface_address,
                                     int interface_index) {
  GroupName left;
  {
    Result<int> index = FindGroupInterface(group, interface_address, interface_index);
    if (!index.ok() && interface_index != 0) return Errno(ENODEV);
    MutexLock lock(&mu_);
    const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const GroupName& name) {
      return name.group == group && (!index.ok() || name.interface_index == *index);
    });
    if (found == groups_.end()) return Errno(EADDRNOTAVAIL);
    left = *found;
    groups_.erase(found);
  }
  stack().LeaveGroup(left);
  return {};
}

Result<void> UdpEndpoint::SetMulticastInterface(int family, const MulticastInterface& wanted) {
  MulticastInterface chosen = wanted;
  if (chosen.index == 0 && !chosen.address.IsUnspecified()) {
    chosen.index = InterfaceWith(*network_, chosen.address);
    if (chosen.index == 0) return Errno(EADDRNOTAVAIL);
  } else if (chosen.index != 0 && !network_->FindInterface(chosen.index)) {
    return Errno(family == AF_INET ? EADDRNOTAVAIL : ENODEV);
  }
  MutexLock lock(&mu_);
  if (binding_.device != 0 && chosen.index != 0 && binding_.device != chosen.index) {
    return Errno(EINVAL);
  }
  (family == AF_INET ? multicast4_ : multicast6_) = chosen;
  return {};
}

UdpEndpoint::MulticastInterface UdpEndpoint::GetMulticastInterface(int family) {
  MutexLock lock(&mu_);
  return family == AF_INET ? multicast4_ : multicast6_;
}

}  // namespace redoubt::inet
