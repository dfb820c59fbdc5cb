// SPDX-License-Identifier: Apache-2.0
//
// Inside NetworkNamespace: its tables, the rules that tie them together (an interface that comes up
// gets routes for its addresses, one that goes down loses them), and the events to be told.
//
//   return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
//     ...  // Under both locks; events are told afterwards.
//   });
#ifndef SENTRY_SOCKET_NET_TABLES_H_
#define SENTRY_SOCKET_NET_TABLES_H_

#include <functional>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "sentry/socket/net/network_namespace.h"

namespace redoubt::net {

// What a guest with CAP_NET_ADMIN may pile up.
inline constexpr size_t kMaximumInterfaces = 1024;
inline constexpr size_t kMaximumAddresses = 4096;
inline constexpr size_t kMaximumRoutes = 8192;
inline constexpr size_t kMaximumNeighbours = 4096;
inline constexpr size_t kMaximumRules = 1024;

struct LinkEvent {
  Interface interface;
  uint32_t changed = 0;
};
struct NetworkEvent {
  std::variant<LinkEvent, InterfaceAddress, Route, Neighbour, Rule> what;
  bool removed = false;
};
using NetworkEvents = std::vector<NetworkEvent>;

struct NetworkNamespace::Tables {
  std::map<int, Interface> interfaces;
  std::vector<InterfaceAddress> addresses;
  std::vector<Route> routes;  // In the order of RouteLess().
  std::vector<Neighbour> neighbours;
  std::vector<Rule> rules;  // By family and priority.

  Interface* Find(int index);
  const Interface* Find(int index) const;
  const Interface* Find(std::string_view name) const;

  // interfaces.cc
  Result<int> AddInterface(const NetworkNamespace& network, Interface interface,
                           NetworkEvents& events);
  Result<void> Check(const Interface& interface, const InterfaceChange& change) const;
  void SetFlags(Interface& interface, uint32_t flags, NetworkEvents& events);
  void BringUp(Interface& interface, NetworkEvents& events);
  void TakeDown(Interface& interface, NetworkEvents& events);
  void UpdateCarrierOfPeer(const Interface& interface, NetworkEvents& events);
  void Remove(int index, NetworkEvents& events);

  // addresses.cc
  Result<void> AddAddress(InterfaceAddress address, bool replace, NetworkEvents& events);
  void RemoveAddressAt(size_t at, NetworkEvents& events);
  // The routes that come with an address.
  void AddRoutesOf(const InterfaceAddress& address, NetworkEvents& events);
  void RemoveRoutesOf(const InterfaceAddress& address, NetworkEvents& events);
  void FlushRoutesWithout(const InterfaceAddress& gone);

  // routes.cc
  void InsertRoute(Route route, NetworkEvents& events);
  void RemoveRoutesIf(const std::function<bool(const Route&)>& doomed, NetworkEvents& events);
  // The best route of a table, or null.
  const Route* Lookup(uint32_t table, const RouteQuestion& question) const;
  // By the rules.
  Result<const Route*> FindRoute(const RouteQuestion& question) const;
  std::optional<IpAddress> SourceFor(int interface_index, const IpAddress& destination) const;
  uint8_t TypeOf(const IpAddress& address) const;
  Result<void> CheckNextHop(Route& route) const;

  static std::vector<Rule> DefaultRules();
};

// How dumps are ordered: by family, table, prefix, then longer ones and smaller metrics first.
bool RouteLess(const Route& a, const Route& b);
// Whether they are one entry of a table, so that the second is EEXIST.
bool SameRouteKey(const Route& a, const Route& b);

template <typename F>
auto NetworkNamespace::Change(F&& change) {
  MutexLock order(&change_mu_);
  NetworkEvents events;
  auto result = [&] {
    MutexLock lock(&mu_);
    return change(*tables_, events);
  }();
  Publish(events);
  return result;
}

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_TABLES_H_
