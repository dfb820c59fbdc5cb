// SPDX-License-Identifier: Apache-2.0
//
// Routes over rtnetlink (Linux: net/ipv4/fib_frontend.c, route.c, net/ipv6/route.c).
#include <linux/rtnetlink.h>

#include <algorithm>

#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

namespace {

using net::IpAddress;
using net::Route;

struct RouteRequest {
  rtmsg header{};
  AttributeSet attributes;
  int family = 0;
};

Result<RouteRequest> Parse(const Request& request) {
  RouteRequest wanted;
  std::optional<rtmsg> header = ReadStruct<rtmsg>(request.payload);
  if (!header) return Errno(EINVAL);
  wanted.header = *header;
  wanted.family = header->rtm_family;
  wanted.attributes = TRY(AttributeSet::Parse(After<rtmsg>(request.payload), RTA_MAX));
  return wanted;
}

Result<uint32_t> TableOf(const RouteRequest& wanted) {
  return TRY(wanted.attributes.Get<uint32_t>(RTA_TABLE)).value_or(wanted.header.rtm_table);
}

// RTA_METRICS.
Result<void> TakeMetrics(const AttributeSet& attributes, Route& route) {
  if (!attributes.Has(RTA_METRICS)) return {};
  AttributeSet metrics = TRY(AttributeSet::Parse(attributes.Raw(RTA_METRICS), RTAX_MAX));
  route.mtu = TRY(metrics.Get<uint32_t>(RTAX_MTU)).value_or(0);
  route.window = TRY(metrics.Get<uint32_t>(RTAX_WINDOW)).value_or(0);
  route.rtt = TRY(metrics.Get<uint32_t>(RTAX_RTT)).value_or(0);
  return {};
}

// RTA_MULTIPATH with one next hop is like none; more are not supported.
Result<void> TakeOnlyNextHop(Request& request, const AttributeSet& attributes, Route& route) {
  if (!attributes.Has(RTA_MULTIPATH)) return {};
  ByteSpan bytes = attributes.Raw(RTA_MULTIPATH);
  std::optional<rtnexthop> hop = ReadStruct<rtnexthop>(bytes);
  if (!hop || hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > bytes.size()) {
    return request.Refuse(EINVAL, "Invalid nexthop configuration - extra data after nexthop");
  }
  if (Aligned(hop->rtnh_len) < bytes.size()) return Errno(EOPNOTSUPP);
  AttributeSet nested = TRY(AttributeSet::Parse(
      bytes.subspan(sizeof(rtnexthop), hop->rtnh_len - sizeof(rtnexthop)), RTA_MAX));
  route.interface_index = hop->rtnh_ifindex;
  route.flags = hop->rtnh_flags;
  std::optional<IpAddress> gateway = TRY(GetIpAddress(nested, RTA_GATEWAY, route.family));
  if (gateway) route.gateway = gateway;
  return {};
}

// rtm_to_fib_config(), rtm_to_fib6_config().
Result<Route> Decode(Request& request, const RouteRequest& wanted) {
  const AttributeSet& attributes = wanted.attributes;
  if (attributes.Has(RTA_ENCAP) || attributes.Has(RTA_NH_ID) || attributes.Has(RTA_VIA)) {
    return Errno(EOPNOTSUPP);
  }
  Route route;
  route.family = wanted.family;
  route.destination =
      TRY(GetIpAddress(attributes, RTA_DST, wanted.family)).value_or(IpAddress::Any(wanted.family));
  route.prefix_length = wanted.header.rtm_dst_len;
  if (route.prefix_length > route.destination.bits()) {
    return request.Refuse(EINVAL, "Invalid prefix length");
  }
  if (wanted.header.rtm_src_len != 0) return Errno(EINVAL);
  if (wanted.header.rtm_type > RTN_MAX) return request.Refuse(EINVAL, "Invalid route type");
  if ((wanted.header.rtm_flags & RTM_F_CLONED) != 0) return Errno(EINVAL);
  route.tos = wanted.header.rtm_tos;
  route.type = wanted.header.rtm_type;
  route.protocol = wanted.header.rtm_protocol;
  route.scope = wanted.header.rtm_scope;
  route.flags = wanted.header.rtm_flags & (RTNH_F_ONLINK | RTNH_F_PERVASIVE);
  route.table = TRY(TableOf(wanted));
  if (route.table == RT_TABLE_UNSPEC) route.table = RT_TABLE_MAIN;
  route.metric = TRY(attributes.Get<uint32_t>(RTA_PRIORITY)).value_or(0);
  route.interface_index = TRY(attributes.Get<int32_t>(RTA_OIF)).value_or(0);
  route.gateway = TRY(GetIpAddress(attributes, RTA_GATEWAY, wanted.family));
  route.preferred_source = TRY(GetIpAddress(attributes, RTA_PREFSRC, wanted.family));
  route.preference = TRY(attributes.Get<uint8_t>(RTA_PREF)).value_or(0);
  TRY(TakeMetrics(attributes, route));
  TRY(TakeOnlyNextHop(request, attributes, route));
  return route;
}

// Whether there are other v4 rules than the three that were there at first: until then Linux keeps
// the local and the main table as one, and shows it.
bool HasOwnRules(const Request& request) {
  std::vector<net::Rule> rules = request.network.Rules();
  return std::count_if(rules.begin(), rules.end(),
                       [](const net::Rule& rule) { return rule.family == AF_INET; }) != 3;
}

void PutMetrics(MessageBuilder& message, const Route& route) {
  if (route.mtu == 0 && route.window == 0 && route.rtt == 0) return;
  Nest metrics(message, RTA_METRICS);
  if (route.mtu != 0) message.Put(RTAX_MTU, route.mtu);
  if (route.window != 0) message.Put(RTAX_WINDOW, route.window);
  if (route.rtt != 0) message.Put(RTAX_RTT, route.rtt);
}

// rt_fill_info(): the route as if it had been cached.
void FillAnswerV4(MessageBuilder& message, const Request& request, const RouteRequest& wanted,
                  const net::RouteQuestion& question, const net::RouteAnswer& answer,
                  uint32_t uid) {
  constexpr uint32_t kLocalFlag = 0x80000000;  // RTCF_LOCAL
  uint32_t table = RT_TABLE_MAIN;
  // The table is told when it is asked for.
  if ((wanted.header.rtm_flags & RTM_F_LOOKUP_TABLE) != 0 && HasOwnRules(request)) {
    table = answer.route.table;
  }
  message.PutHeader(rtmsg{.rtm_family = AF_INET,
                          .rtm_dst_len = 32,
                          .rtm_src_len = 0,
                          .rtm_tos = 0,
                          .rtm_table = static_cast<uint8_t>(table < 256 ? table : RT_TABLE_COMPAT),
                          .rtm_protocol = RTPROT_UNSPEC,
                          .rtm_scope = RT_SCOPE_UNIVERSE,
                          .rtm_type = answer.type,
                          .rtm_flags = RTM_F_CLONED | (answer.type == RTN_LOCAL ? kLocalFlag : 0)});
  message.PutBytes(RTA_DST, question.destination.bytes());
  message.Put(RTA_TABLE, table);
  message.Put(RTA_OIF, answer.interface_index);
  if (!answer.source.IsUnspecified()) message.PutBytes(RTA_PREFSRC, answer.source.bytes());
  if (answer.route.gateway) message.PutBytes(RTA_GATEWAY, answer.route.gateway->bytes());
  PutMetrics(message, answer.route);
  message.Put(RTA_UID, uid);
  message.Put(RTA_CACHEINFO, rta_cacheinfo{});
}

// rt6_fill_node(): the route itself, with the addresses of the question.
void FillAnswerV6(MessageBuilder& message, const net::RouteQuestion& question,
                  const net::RouteAnswer& answer) {
  const Route& route = answer.route;
  message.PutHeader(
      rtmsg{.rtm_family = AF_INET6,
            .rtm_dst_len = 128,
            .rtm_src_len = 128,
            .rtm_tos = 0,
            .rtm_table = static_cast<uint8_t>(route.table < 256 ? route.table : RT_TABLE_COMPAT),
            .rtm_protocol = route.protocol,
            .rtm_scope = RT_SCOPE_UNIVERSE,
            .rtm_type = answer.type,
            .rtm_flags = 0});
  message.PutBytes(RTA_DST, question.destination.bytes());
  message.PutBytes(RTA_SRC, question.source.value_or(IpAddress::Any(AF_INET6)).bytes());
  message.Put(RTA_TABLE, route.table);
  if (!answer.source.IsUnspecified()) message.PutBytes(RTA_PREFSRC, answer.source.bytes());
  PutMetrics(message, route);
  message.Put(RTA_PRIORITY, route.metric);
  if (route.gateway) message.PutBytes(RTA_GATEWAY, route.gateway->bytes());
  message.Put(RTA_OIF, answer.interface_index);
  message.Put(RTA_CACHEINFO, rta_cacheinfo{});
  message.Put(RTA_PREF, route.preference);
}

// ip route get: one lookup.
Result<void> LookUp(Request& request, const RouteRequest& wanted) {
  const AttributeSet& attributes = wanted.attributes;
  net::RouteQuestion question;
  question.destination =
      TRY(GetIpAddress(attributes, RTA_DST, wanted.family)).value_or(IpAddress::Any(wanted.family));
  question.source = TRY(GetIpAddress(attributes, RTA_SRC, wanted.family));
  question.interface_index = TRY(attributes.Get<int32_t>(RTA_OIF)).value_or(0);
  question.mark = TRY(attributes.Get<uint32_t>(RTA_MARK)).value_or(0);
  if (TRY(attributes.Get<int32_t>(RTA_IIF)).value_or(0) != 0) return Errno(EOPNOTSUPP);
  if (question.interface_index != 0 && !request.network.FindInterface(question.interface_index)) {
    return Errno(ENODEV);
  }
  if (question.source && !request.network.IsLocal(*question.source)) return Errno(EINVAL);
  net::RouteAnswer answer = TRY(request.network.FindRoute(question));
  MessageBuilder message = request.NewMessage(RTM_NEWROUTE);
  if ((wanted.header.rtm_flags & RTM_F_FIB_MATCH) != 0) {
    FillRoute(message, answer.route);
    request.Reply(std::move(message).Finish());
    return {};
  }
  const uint32_t uid = TRY(attributes.Get<uint32_t>(RTA_UID)).value_or(request.caller.uid);
  if (wanted.family == AF_INET) {
    FillAnswerV4(message, request, wanted, question, answer, uid);
  } else {
    FillAnswerV6(message, question, answer);
  }
  request.Reply(std::move(message).Finish());
  return {};
}

struct RouteFilter {
  int family = AF_UNSPEC;
  uint32_t table = 0;
  uint8_t type = 0, protocol = 0;
  int interface_index = 0;
  bool none = false;  // Cached routes: there are none.
};

// ip_valid_fib_dump_req(): without strict checking nothing is filtered.
Result<RouteFilter> ParseFilter(Request& request) {
  RouteFilter filter;
  filter.family = ReadStruct<rtgenmsg>(request.payload)->rtgen_family;
  std::optional<rtmsg> header = ReadStruct<rtmsg>(request.payload);
  if (!request.strict) {
    filter.none = header && (header->rtm_flags & RTM_F_CLONED) != 0;
    return filter;
  }
  RouteRequest wanted = TRY(Parse(request));
  if (header->rtm_dst_len != 0 || header->rtm_src_len != 0 || header->rtm_tos != 0 ||
      header->rtm_scope != 0) {
    return request.Refuse(EINVAL, "Invalid values in header for FIB dump request");
  }
  filter.none = (header->rtm_flags & RTM_F_CLONED) != 0;
  filter.table = TRY(TableOf(wanted));
  filter.type = header->rtm_type;
  filter.protocol = header->rtm_protocol;
  filter.interface_index = TRY(wanted.attributes.Get<int32_t>(RTA_OIF)).value_or(0);
  if (filter.interface_index != 0 && !request.network.FindInterface(filter.interface_index)) {
    return Errno(ENODEV);
  }
  return filter;
}

bool Passes(const RouteFilter& filter, const Route& route) {
  return !filter.none && (filter.family != AF_INET || route.family == AF_INET) &&
         (filter.family != AF_INET6 || route.family == AF_INET6) &&
         (filter.table == 0 || route.table == filter.table) &&
         (filter.type == 0 || route.type == filter.type) &&
         (filter.protocol == 0 || route.protocol == filter.protocol) &&
         (filter.interface_index == 0 || route.interface_index == filter.interface_index);
}

}  // namespace

void FillRoute(MessageBuilder& message, const Route& route) {
  message.PutHeader(
      rtmsg{.rtm_family = static_cast<uint8_t>(route.family),
            .rtm_dst_len = route.prefix_length,
            .rtm_src_len = 0,
            .rtm_tos = route.tos,
            .rtm_table = static_cast<uint8_t>(route.table < 256 ? route.table : RT_TABLE_COMPAT),
            .rtm_protocol = route.protocol,
            .rtm_scope = route.scope,
            .rtm_type = route.type,
            .rtm_flags = route.flags});
  const bool v6 = route.family == AF_INET6;
  if (!v6) message.Put(RTA_TABLE, route.table);
  if (route.prefix_length != 0) message.PutBytes(RTA_DST, route.destination.bytes());
  if (v6) message.Put(RTA_TABLE, route.table);
  if (route.metric != 0 || v6) message.Put(RTA_PRIORITY, route.metric);
  if (route.preferred_source) message.PutBytes(RTA_PREFSRC, route.preferred_source->bytes());
  PutMetrics(message, route);
  if (route.gateway) message.PutBytes(RTA_GATEWAY, route.gateway->bytes());
  if (route.interface_index != 0) message.Put(RTA_OIF, route.interface_index);
  if (v6) {
    rta_cacheinfo info{};
    // -ENETUNREACH and its like, as ip6_route_info_create() keeps them.
    if (route.type == RTN_UNREACHABLE) info.rta_error = static_cast<uint32_t>(-EHOSTUNREACH);
    message.Put(RTA_CACHEINFO, info);
    message.Put(RTA_PREF, route.preference);
  }
}

Result<void> GetRoute(Request& request) {
  if (!request.IsDump()) {
    RouteRequest wanted = TRY(Parse(request));
    if (wanted.family != AF_INET && wanted.family != AF_INET6) return Errno(EOPNOTSUPP);
    return LookUp(request, wanted);
  }
  RouteFilter filter = TRY(ParseFilter(request));
  std::vector<Route> routes = request.network.Routes();
  bool table_exists = filter.table == 0 || filter.table >= RT_TABLE_DEFAULT;
  for (const Route& route : routes) table_exists |= route.table == filter.table;
  if (!table_exists && filter.family == AF_INET) {
    return request.Refuse(ENOENT, "FIB table does not exist");
  }
  if (!table_exists && filter.family == AF_INET6) {
    return request.Refuse(ENOENT, "FIB table does not exist");
  }
  std::erase_if(routes, [&](const Route& route) { return !Passes(filter, route); });
  return DumpAll(request, RTM_NEWROUTE, std::move(routes), &FillRoute);
}

Result<void> NewRoute(Request& request) {
  RouteRequest wanted = TRY(Parse(request));
  if (wanted.family != AF_INET && wanted.family != AF_INET6) return Errno(EOPNOTSUPP);
  Route route = TRY(Decode(request, wanted));
  if (route.type == RTN_UNSPEC) route.type = RTN_UNICAST;
  if (wanted.family == AF_INET6) {
    route.scope = RT_SCOPE_UNIVERSE;
    if (route.metric == 0) route.metric = 1024;
    if (route.protocol == RTPROT_UNSPEC) route.protocol = RTPROT_BOOT;
  }
  net::NetworkNamespace::RouteFlags flags{.create = request.Has(NLM_F_CREATE),
                                          .exclusive = request.Has(NLM_F_EXCL),
                                          .replace = request.Has(NLM_F_REPLACE),
                                          .append = request.Has(NLM_F_APPEND)};
  // v6 makes it without NLM_F_CREATE too.
  if (wanted.family == AF_INET6 && !flags.replace) flags.create = true;
  if (!route.gateway && route.interface_index == 0 && route.type == RTN_UNICAST) {
    return request.Refuse(ENODEV, "No such device");
  }
  const bool has_gateway = route.gateway.has_value();
  Result<void> added = request.network.AddRoute(std::move(route), flags);
  if (added.Is(ENETUNREACH) && has_gateway) {
    return request.Refuse(ENETUNREACH, "Nexthop has invalid gateway");
  }
  return added;
}

Result<void> DeleteRoute(Request& request) {
  RouteRequest wanted = TRY(Parse(request));
  if (wanted.family != AF_INET && wanted.family != AF_INET6) return Errno(EOPNOTSUPP);
  Route route = TRY(Decode(request, wanted));
  if (wanted.family == AF_INET6) {
    route.scope = RT_SCOPE_NOWHERE;
    route.type = RTN_UNSPEC;
  }
  return request.network.RemoveRoute(route);
}

}  // namespace redoubt::netlink
