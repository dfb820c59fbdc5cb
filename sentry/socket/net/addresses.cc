// SPDX-License-Identifier: Apache-2.0
//
// Addresses of interfaces, and the routes that follow from them (Linux: devinet.c, fib_frontend.c,
// addrconf.c).
#include <algorithm>

#include "sentry/socket/net/tables.h"

namespace redoubt::net {

namespace {

// fib_magic(), addrconf_prefix_route(): a route of the kernel's own.
Route KernelRoute(const InterfaceAddress& address, uint8_t type, const IpAddress& destination,
                  int prefix_length) {
  Route route;
  route.family = address.local.family();
  route.destination = destination;
  route.prefix_length = static_cast<uint8_t>(prefix_length);
  route.type = type;
  route.protocol = RTPROT_KERNEL;
  route.table = type == RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL;
  route.interface_index = address.interface_index;
  if (address.local.is_v4()) {
    route.scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK;
    route.preferred_source = address.local;
    if (type == RTN_UNICAST) route.metric = address.metric;
  } else if (type == RTN_UNICAST) {
    route.metric = address.metric != 0 ? address.metric : 256;
  }
  return route;
}

std::vector<Route> V4RoutesOf(const InterfaceAddress& address, bool loopback) {
  std::vector<Route> routes;
  routes.push_back(KernelRoute(address, RTN_LOCAL, address.local, 32));
  if (address.broadcast && !address.broadcast->IsLimitedBroadcast()) {
    routes.push_back(KernelRoute(address, RTN_BROADCAST, *address.broadcast, 32));
  }
  bool secondary = (address.flags & IFA_F_SECONDARY) != 0;
  const int length = address.prefix_length;
  const IpAddress network = address.peer.Network(length);
  if (secondary || network.IsUnspecified() || (network == address.local && length == 32)) {
    return routes;
  }
  if ((address.flags & IFA_F_NOPREFIXROUTE) == 0) {
    routes.push_back(KernelRoute(address, loopback ? RTN_LOCAL : RTN_UNICAST, network, length));
  }
  if (length < 31) {
    IpAddress broadcast = network.Broadcast(length);
    if (broadcast != address.broadcast) {
      routes.push_back(KernelRoute(address, RTN_BROADCAST, broadcast, 32));
    }
  }
  return routes;
}

std::vector<Route> RoutesOf(const InterfaceAddress& address, bool loopback) {
  if (address.local.is_v4()) return V4RoutesOf(address, loopback);
  std::vector<Route> routes = {KernelRoute(address, RTN_LOCAL, address.local, 128)};
  if (address.prefix_length < 128 && (address.flags & IFA_F_NOPREFIXROUTE) == 0) {
    routes.push_back(KernelRoute(address, RTN_UNICAST, address.peer.Network(address.prefix_length),
                                 address.prefix_length));
  }
  return routes;
}

bool SameSubnet(const InterfaceAddress& a, const InterfaceAddress& b) {
  return a.interface_index == b.interface_index && a.prefix_length == b.prefix_length &&
         a.peer.IsInPrefix(b.peer, b.prefix_length);
}

// A dump's order: by interface, v4 first; those of an interface in the order of their coming, but
// the widest scope first (v4: primary ones before secondary ones of a scope).
bool AddressLess(const InterfaceAddress& a, const InterfaceAddress& b) {
  auto key = [](const InterfaceAddress& address) {
    bool secondary = address.local.is_v4() && (address.flags & IFA_F_SECONDARY) != 0;
    return std::tuple(address.interface_index, address.local.is_v6(), secondary, address.scope);
  };
  return key(a) < key(b);
}

}  // namespace

void NetworkNamespace::Tables::AddRoutesOf(const InterfaceAddress& address, NetworkEvents& events) {
  const Interface* interface = Find(address.interface_index);
  for (Route& route : RoutesOf(address, interface->IsLoopback())) {
    // fib_add_ifaddr(): a v4 address can be reached even while its interface is down.
    bool always = route.type == RTN_LOCAL && route.prefix_length == 32;
    if (!always && !interface->IsUp()) break;
    InsertRoute(std::move(route), events);
  }
}

void NetworkNamespace::Tables::RemoveRoutesOf(const InterfaceAddress& address,
                                              NetworkEvents& events) {
  const Interface* interface = Find(address.interface_index);
  std::vector<Route> gone = RoutesOf(address, interface->IsLoopback());
  // What another address of the interface needs too stays.
  for (const InterfaceAddress& other : addresses) {
    if (other.interface_index != address.interface_index) continue;
    for (const Route& kept : RoutesOf(other, interface->IsLoopback())) {
      std::erase_if(gone, [&](const Route& route) {
        return SameRouteKey(route, kept) && route.preferred_source == kept.preferred_source;
      });
    }
  }
  RemoveRoutesIf(
      [&](const Route& route) {
        return std::any_of(gone.begin(), gone.end(), [&](const Route& doomed) {
          return SameRouteKey(route, doomed) && route.type == doomed.type &&
                 route.interface_index == doomed.interface_index &&
                 route.preferred_source == doomed.preferred_source;
        });
      },
      events);
}

Result<void> NetworkNamespace::Tables::AddAddress(InterfaceAddress address, bool replace,
                                                  NetworkEvents& events) {
  const Interface* interface = std::as_const(*this).Find(address.interface_index);
  if (interface == nullptr) return Errno(ENODEV);
  for (InterfaceAddress& known : addresses) {
    bool same = known.interface_index == address.interface_index && known.local == address.local &&
                (address.local.is_v6() || known.prefix_length == address.prefix_length);
    if (!same) continue;
    if (!replace) return Errno(EEXIST);
    RemoveRoutesOf(known, events);
    address.created_ns = known.created_ns;
    address.flags |= known.flags & IFA_F_SECONDARY;
    known = std::move(address);
    events.push_back({.what = known});
    AddRoutesOf(known, events);
    return {};
  }
  if (addresses.size() >= kMaximumAddresses) return Errno(ENOBUFS);
  if (address.local.is_v4()) {
    bool primary = std::none_of(addresses.begin(), addresses.end(), [&](const auto& known) {
      return (known.flags & IFA_F_SECONDARY) == 0 && SameSubnet(known, address);
    });
    if (!primary) address.flags |= IFA_F_SECONDARY;
    if (address.label.empty()) address.label = interface->name;
  }
  auto at = std::upper_bound(addresses.begin(), addresses.end(), address, AddressLess);
  at = addresses.insert(at, std::move(address));
  InterfaceAddress added = *at;
  events.push_back({.what = added});
  AddRoutesOf(added, events);
  return {};
}

void NetworkNamespace::Tables::RemoveAddressAt(size_t at, NetworkEvents& events) {
  InterfaceAddress gone = std::move(addresses[at]);
  addresses.erase(addresses.begin() + static_cast<ptrdiff_t>(at));
  // A v4 subnet's secondary addresses go with the primary one (promote_secondaries is 0).
  if (gone.local.is_v4() && (gone.flags & IFA_F_SECONDARY) == 0) {
    for (size_t i = addresses.size(); i-- > 0;) {
      if (addresses[i].local.is_v4() && SameSubnet(addresses[i], gone)) RemoveAddressAt(i, events);
    }
  }
  events.push_back({.what = gone, .removed = true});
  RemoveRoutesOf(gone, events);
  if (gone.local.is_v4()) FlushRoutesWithout(gone);
}

// fib_inetaddr_event(), fib_sync_down_addr(): with an interface's last v4 address go all v4 routes
// that use it, and with any address those that prefer it as source. Nobody is told.
void NetworkNamespace::Tables::FlushRoutesWithout(const InterfaceAddress& gone) {
  auto any = [&](auto&& holds) { return std::any_of(addresses.begin(), addresses.end(), holds); };
  const bool has_others = any([&](const InterfaceAddress& address) {
    return address.interface_index == gone.interface_index && address.local.is_v4();
  });
  const bool still_there =
      any([&](const InterfaceAddress& address) { return address.local == gone.local; });
  NetworkEvents untold;
  auto goes = [&](const Route& route) {
    if (route.family != AF_INET) return false;
    return (!has_others && route.interface_index == gone.interface_index) ||
           (!still_there && route.preferred_source == gone.local);
  };
  RemoveRoutesIf(goes, untold);
}

Result<void> NetworkNamespace::AddAddress(InterfaceAddress address, bool replace) {
  if (address.prefix_length > address.local.bits()) return Errno(EINVAL);
  return Change([&](Tables& tables, NetworkEvents& events) {
    return tables.AddAddress(std::move(address), replace, events);
  });
}

Result<void> NetworkNamespace::RemoveAddress(int index, const IpAddress& local,
                                             uint8_t prefix_length) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
    if (tables.Find(index) == nullptr) return Errno(ENODEV);
    for (size_t i = 0; i < tables.addresses.size(); ++i) {
      const InterfaceAddress& address = tables.addresses[i];
      bool length = prefix_length == 0xff || address.prefix_length == prefix_length;
      if (address.interface_index != index || address.local != local || !length) continue;
      tables.RemoveAddressAt(i, events);
      return {};
    }
    return Errno(EADDRNOTAVAIL);
  });
}

}  // namespace redoubt::net
