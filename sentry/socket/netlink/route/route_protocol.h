// SPDX-License-Identifier: Apache-2.0
//
// rtnetlink(7): NETLINK_ROUTE. RouteProtocol looks a request up in a table of handlers; the topic
// files have those:
//   links.cc      RTM_{GET,NEW,SET,DEL}LINK     link_message.cc  struct ifinfomsg and attributes
//   addresses.cc  RTM_{GET,NEW,DEL}ADDR         routes.cc        RTM_{GET,NEW,DEL}ROUTE
//   neighbours.cc RTM_{GET,NEW,DEL}NEIGH        rules.cc         RTM_{GET,NEW,DEL}RULE
//   queues.cc     RTM_GETQDISC                  notifier.cc      multicast groups
// Each decodes, checks as Linux does, and asks or changes the network namespace.
#ifndef SENTRY_SOCKET_NETLINK_ROUTE_ROUTE_PROTOCOL_H_
#define SENTRY_SOCKET_NETLINK_ROUTE_ROUTE_PROTOCOL_H_

#include <linux/rtnetlink.h>

#include <utility>
#include <vector>

#include "sentry/socket/netlink/protocol.h"

namespace redoubt::netlink {

class RouteProtocol : public NetlinkProtocol {
 public:
  uint32_t group_count() const override { return RTNLGRP_MAX; }
  Result<void> Handle(Request& request) override;
};

// The handlers. GET ones serve dumps too.
Result<void> GetLink(Request& request);
Result<void> NewLink(Request& request);
Result<void> SetLink(Request& request);
Result<void> DeleteLink(Request& request);
Result<void> GetAddress(Request& request);
Result<void> NewAddress(Request& request);
Result<void> DeleteAddress(Request& request);
Result<void> GetRoute(Request& request);
Result<void> NewRoute(Request& request);
Result<void> DeleteRoute(Request& request);
Result<void> GetNeighbour(Request& request);
Result<void> NewNeighbour(Request& request);
Result<void> DeleteNeighbour(Request& request);
Result<void> GetRule(Request& request);
Result<void> NewRule(Request& request);
Result<void> DeleteRule(Request& request);
Result<void> GetQueueDiscipline(Request& request);

// The messages: `type` RTM_NEW... or RTM_DEL..., `message` just begun with it.
void FillLink(MessageBuilder& message, const net::Interface& interface, uint32_t changed);
// As a dump of AF_INET6 shows it: inet6_fill_ifinfo().
void FillInet6Link(MessageBuilder& message, const net::Interface& interface);
void FillAddress(MessageBuilder& message, const net::InterfaceAddress& address);
void FillRoute(MessageBuilder& message, const net::Route& route);
void FillNeighbour(MessageBuilder& message, const net::Neighbour& neighbour);
void FillRule(MessageBuilder& message, const net::Rule& rule);

// A dump of `items` by one of the above.
template <typename T, typename Fill>
Result<void> DumpAll(Request& request, uint16_t type, std::vector<T> items, Fill fill) {
  uint32_t sequence = request.header.nlmsg_seq, port = request.port();
  return request.StartDump([items = std::move(items), at = size_t{0}, type, sequence, port,
                            fill]() mutable -> std::optional<Bytes> {
    if (at == items.size()) return std::nullopt;
    MessageBuilder message(type, NLM_F_MULTI, sequence, port);
    fill(message, items[at++]);
    return std::move(message).Finish();
  });
}

// An address attribute of `family`; EINVAL for another length.
Result<std::optional<net::IpAddress>> GetIpAddress(const AttributeSet& attributes, size_t type,
                                                   int family);

// Sends changes of `network` to the multicast groups. Once for each namespace.
void StartNotifying(net::NetworkNamespace& network);

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_ROUTE_ROUTE_PROTOCOL_H_
