// SPDX-License-Identifier: Apache-2.0
//
// Routing: tables, rules, lookups (Linux: fib_trie.c, fib_rules.c, ip6_fib.c, route.c). Tables are
// small here, so a lookup reads them through.
#include <linux/fib_rules.h>

#include <algorithm>
#include <functional>
#include <tuple>

#include "sentry/socket/net/tables.h"

namespace redoubt::net {

namespace {

auto RouteKey(const Route& route) {
  return std::tuple(route.family, route.table, route.destination, -int{route.prefix_length},
                    -int{route.tos}, route.metric);
}

bool SameNextHop(const Route& a, const Route& b) {
  return a.type == b.type && a.interface_index == b.interface_index && a.gateway == b.gateway;
}

// What a lookup that meets such a route gives.
Result<void> ErrorOf(uint8_t type) {
  switch (type) {
    case RTN_UNREACHABLE:
      return Errno(EHOSTUNREACH);
    case RTN_PROHIBIT:
      return Errno(EACCES);
    case RTN_BLACKHOLE:
      return Errno(EINVAL);
    case RTN_THROW:
      return Errno(EAGAIN);
    default:
      return {};
  }
}

bool Matches(const Rule& rule, const RouteQuestion& question, int family) {
  bool source = question.source ? question.source->IsInPrefix(rule.source, rule.source_length)
                                : rule.source_length == 0;
  bool matches = source &&
                 question.destination.IsInPrefix(rule.destination, rule.destination_length) &&
                 ((question.mark ^ rule.mark) & rule.mark_mask) == 0 &&
                 (rule.input_interface.empty() || rule.input_interface == "lo");
  return rule.family == family && matches != rule.invert;
}

Rule DefaultRule(int family, uint32_t priority, uint32_t table) {
  Rule rule;
  rule.family = family;
  rule.priority = priority;
  rule.table = table;
  rule.protocol = RTPROT_KERNEL;
  rule.source = rule.destination = IpAddress::Any(family);
  return rule;
}

}  // namespace

bool RouteLess(const Route& a, const Route& b) { return RouteKey(a) < RouteKey(b); }

bool SameRouteKey(const Route& a, const Route& b) { return RouteKey(a) == RouteKey(b); }

std::vector<Rule> NetworkNamespace::Tables::DefaultRules() {
  return {DefaultRule(AF_INET, 0, RT_TABLE_LOCAL), DefaultRule(AF_INET, 32766, RT_TABLE_MAIN),
          DefaultRule(AF_INET, 32767, RT_TABLE_DEFAULT), DefaultRule(AF_INET6, 0, RT_TABLE_LOCAL),
          DefaultRule(AF_INET6, 32766, RT_TABLE_MAIN)};
}

void NetworkNamespace::Tables::InsertRoute(Route route, NetworkEvents& events) {
  if (routes.size() >= kMaximumRoutes) return;
  auto at = std::upper_bound(routes.begin(), routes.end(), route, RouteLess);
  for (auto it = std::lower_bound(routes.begin(), routes.end(), route, RouteLess); it != at; ++it) {
    if (SameNextHop(*it, route) && it->preferred_source == route.preferred_source) return;
  }
  at = routes.insert(at, std::move(route));
  events.push_back({.what = *at});
}

void NetworkNamespace::Tables::RemoveRoutesIf(const std::function<bool(const Route&)>& doomed,
                                              NetworkEvents& events) {
  std::erase_if(routes, [&](const Route& route) {
    if (!doomed(route)) return false;
    events.push_back({.what = route, .removed = true});
    return true;
  });
}

const Route* NetworkNamespace::Tables::Lookup(uint32_t table, const RouteQuestion& question) const {
  const int family = question.destination.family();
  const Route* best = nullptr;
  for (const Route& route : routes) {
    if (route.family != family || route.table != table) continue;
    if (!question.destination.IsInPrefix(route.destination, route.prefix_length)) continue;
    bool wrong_device = question.interface_index != 0 && route.interface_index != 0 &&
                        route.interface_index != question.interface_index;
    // Own addresses are reached through lo whatever device is asked for.
    if (wrong_device && route.type != RTN_LOCAL) continue;
    bool better = best == nullptr || route.prefix_length > best->prefix_length ||
                  (route.prefix_length == best->prefix_length && route.metric < best->metric);
    if (better) best = &route;
  }
  return best;
}

Result<const Route*> NetworkNamespace::Tables::FindRoute(const RouteQuestion& question) const {
  const int family = question.destination.family();
  for (const Rule& rule : rules) {
    if (!Matches(rule, question, family)) continue;
    switch (rule.action) {
      case FR_ACT_TO_TBL:
        break;
      case FR_ACT_UNREACHABLE:
        return Errno(ENETUNREACH);
      case FR_ACT_PROHIBIT:
        return Errno(EACCES);
      case FR_ACT_BLACKHOLE:
        return Errno(EINVAL);
      default:
        continue;
    }
    const Route* found = Lookup(rule.table, question);
    if (found == nullptr) continue;
    if (found->prefix_length <= rule.suppress_prefix_length && rule.suppress_prefix_length < 129) {
      continue;
    }
    Result<void> error = ErrorOf(found->type);
    if (error.Is(EAGAIN)) continue;
    TRY(error);
    return found;
  }
  return Errno(ENETUNREACH);
}

uint8_t NetworkNamespace::Tables::TypeOf(const IpAddress& address) const {
  if (address.IsMulticast()) return RTN_MULTICAST;
  if (address.IsLimitedBroadcast() || address.IsUnspecified()) return RTN_BROADCAST;
  const Route* route = Lookup(RT_TABLE_LOCAL, {.destination = address});
  return route != nullptr ? route->type : uint8_t{RTN_UNICAST};
}

// inet_select_addr(), ipv6_dev_get_saddr(), cut down to what a few addresses need.
std::optional<IpAddress> NetworkNamespace::Tables::SourceFor(int interface_index,
                                                             const IpAddress& destination) const {
  const InterfaceAddress* best = nullptr;
  auto score = [&](const InterfaceAddress& address) {
    bool same_subnet = destination.IsInPrefix(address.peer, address.prefix_length);
    bool same_scope = address.local.IsLinkLocal() == destination.IsLinkLocal();
    return (same_subnet ? 2 : 0) + (same_scope ? 4 : 0);
  };
  for (const InterfaceAddress& address : addresses) {
    if (address.interface_index != interface_index ||
        address.local.family() != destination.family()) {
      continue;
    }
    if ((address.flags & IFA_F_SECONDARY) != 0 && address.local.is_v4()) continue;
    if (best == nullptr || score(address) > score(*best)) best = &address;
  }
  return best != nullptr ? std::optional(best->local) : std::nullopt;
}

Result<RouteAnswer> NetworkNamespace::FindRoute(const RouteQuestion& asked) const {
  RouteQuestion question = asked;
  const int family = question.destination.family();
  // To nowhere means to oneself.
  if (question.destination.IsUnspecified()) {
    question.destination = IpAddress::Loopback(family);
  }
  ReaderMutexLock lock(&mu_);
  RouteAnswer answer;
  Result<const Route*> found = tables_->FindRoute(question);
  if (found.ok()) {
    answer.route = **found;
    answer.type = answer.route.type;
    answer.interface_index = answer.route.interface_index;
  } else {
    // Multicast and broadcast need no route when the device is said.
    bool to_many = question.destination.IsMulticast() || question.destination.IsLimitedBroadcast();
    if (!to_many || question.interface_index == 0 || !found.Is(ENETUNREACH)) return found.error();
    answer.interface_index = question.interface_index;
  }
  if (question.destination.IsMulticast()) answer.type = RTN_MULTICAST;
  if (question.destination.IsLimitedBroadcast()) answer.type = RTN_BROADCAST;
  if (answer.type == RTN_LOCAL) answer.interface_index = kLoopbackIndex;
  const Interface* interface = std::as_const(*tables_).Find(answer.interface_index);
  if (interface == nullptr) return Errno(ENODEV);
  answer.mtu = answer.route.mtu != 0 ? answer.route.mtu : interface->mtu;
  answer.source = IpAddress::Any(family);
  if (question.source && !question.source->IsUnspecified()) {
    answer.source = *question.source;
  } else if (answer.route.preferred_source) {
    answer.source = *answer.route.preferred_source;
  } else if (answer.type == RTN_LOCAL) {
    answer.source = question.destination;
  } else {
    answer.source =
        tables_->SourceFor(answer.interface_index, question.destination).value_or(answer.source);
  }
  return answer;
}

// fib_check_nh(), ip6_route_check_nh().
Result<void> NetworkNamespace::Tables::CheckNextHop(Route& route) const {
  if (!ErrorOf(route.type).ok()) {
    // v6 hangs them on lo.
    if (route.family == AF_INET6) route.interface_index = kLoopbackIndex;
    return {};
  }
  if (route.gateway) {
    if (TypeOf(*route.gateway) == RTN_LOCAL) return Errno(EINVAL);
    RouteQuestion question{.destination = *route.gateway, .interface_index = route.interface_index};
    bool on_link = (route.flags & RTNH_F_ONLINK) != 0;
    if (on_link || (route.family == AF_INET6 && route.gateway->IsLinkLocal())) {
      if (route.interface_index == 0) return Errno(EINVAL);
    } else {
      Result<const Route*> way = FindRoute(question);
      int unreachable = route.family == AF_INET6 ? EHOSTUNREACH : ENETUNREACH;
      if (!way.ok() || (*way)->gateway || (*way)->type != RTN_UNICAST) return Errno(unreachable);
      if (route.interface_index == 0) route.interface_index = (*way)->interface_index;
    }
  }
  const Interface* interface = Find(route.interface_index);
  if (interface == nullptr) return Errno(ENODEV);
  if (!interface->IsUp()) return Errno(ENETDOWN);
  return {};
}

Result<void> NetworkNamespace::AddRoute(Route route, const RouteFlags& flags) {
  if (route.prefix_length > route.destination.bits()) return Errno(EINVAL);
  if (route.destination.Network(route.prefix_length) != route.destination) return Errno(EINVAL);
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
    TRY(tables.CheckNextHop(route));
    if (route.preferred_source && tables.TypeOf(*route.preferred_source) != RTN_LOCAL) {
      return Errno(EINVAL);
    }
    auto first = std::lower_bound(tables.routes.begin(), tables.routes.end(), route, RouteLess);
    bool found = first != tables.routes.end() && SameRouteKey(*first, route);
    if (found && flags.exclusive) return Errno(EEXIST);
    if (found && flags.replace) {
      *first = route;
      events.push_back({.what = route});
      return {};
    }
    if (!found && !flags.create) return Errno(ENOENT);
    for (auto it = first; it != tables.routes.end() && SameRouteKey(*it, route); ++it) {
      if (SameNextHop(*it, route)) return Errno(EEXIST);
    }
    if (tables.routes.size() >= kMaximumRoutes) return Errno(ENOBUFS);
    if (found && !flags.append) {
      tables.routes.insert(first, route);
      events.push_back({.what = route});
      return {};
    }
    tables.InsertRoute(route, events);
    return {};
  });
}

Result<void> NetworkNamespace::RemoveRoute(const Route& wanted) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
    auto matches = [&](const Route& route) {
      return route.family == wanted.family && route.table == wanted.table &&
             route.destination == wanted.destination &&
             route.prefix_length == wanted.prefix_length &&
             (wanted.tos == 0 || route.tos == wanted.tos) &&
             (wanted.metric == 0 || route.metric == wanted.metric) &&
             (wanted.type == RTN_UNSPEC || route.type == wanted.type) &&
             (wanted.scope == RT_SCOPE_NOWHERE || route.scope == wanted.scope) &&
             (wanted.protocol == RTPROT_UNSPEC || route.protocol == wanted.protocol) &&
             (wanted.interface_index == 0 || route.interface_index == wanted.interface_index) &&
             (!wanted.gateway || route.gateway == wanted.gateway) &&
             (!wanted.preferred_source || route.preferred_source == wanted.preferred_source);
    };
    auto found = std::find_if(tables.routes.begin(), tables.routes.end(), matches);
    if (found == tables.routes.end()) return Errno(ESRCH);
    events.push_back({.what = *found, .removed = true});
    tables.routes.erase(found);
    return {};
  });
}

Result<void> NetworkNamespace::AddRule(Rule rule, bool exclusive) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
    auto same = [&](const Rule& known) {
      return std::tie(known.family, known.priority, known.table, known.action, known.source,
                      known.source_length, known.destination, known.destination_length, known.mark,
                      known.mark_mask, known.input_interface, known.output_interface) ==
             std::tie(rule.family, rule.priority, rule.table, rule.action, rule.source,
                      rule.source_length, rule.destination, rule.destination_length, rule.mark,
                      rule.mark_mask, rule.input_interface, rule.output_interface);
    };
    bool known = std::any_of(tables.rules.begin(), tables.rules.end(), same);
    if (known && exclusive) return Errno(EEXIST);
    if (tables.rules.size() >= kMaximumRules) return Errno(ENOBUFS);
    auto after = std::upper_bound(
        tables.rules.begin(), tables.rules.end(), rule, [](const Rule& a, const Rule& b) {
          return std::tie(a.family, a.priority) < std::tie(b.family, b.priority);
        });
    events.push_back({.what = rule});
    tables.rules.insert(after, std::move(rule));
    return {};
  });
}

Result<void> NetworkNamespace::RemoveRule(const Rule& wanted, bool match_priority,
                                          bool match_table) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
    auto matches = [&](const Rule& rule) {
      return rule.family == wanted.family &&
             (!match_priority || rule.priority == wanted.priority) &&
             (!match_table || rule.table == wanted.table) &&
             (wanted.action == 0 || rule.action == wanted.action) &&
             rule.source_length == wanted.source_length && rule.source == wanted.source &&
             rule.destination_length == wanted.destination_length &&
             rule.destination == wanted.destination && rule.mark == wanted.mark;
    };
    auto found = std::find_if(tables.rules.begin(), tables.rules.end(), matches);
    if (found == tables.rules.end()) return Errno(ENOENT);
    events.push_back({.what = *found, .removed = true});
    tables.rules.erase(found);
    return {};
  });
}

}  // namespace redoubt::net
