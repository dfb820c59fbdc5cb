// SPDX-License-Identifier: Apache-2.0
//
// Changes of a network namespace, as messages to the multicast groups of rtnetlink.
#include "sentry/socket/netlink/port_table.h"
#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

namespace {

class Notifier : public net::NetworkObserver {
 public:
  explicit Notifier(net::NetworkNamespace& network) : network_(network) {}

  void OnLink(const net::Interface& interface, bool removed, uint32_t changed) override {
    Send(RTNLGRP_LINK, removed ? RTM_DELLINK : RTM_NEWLINK,
         [&](MessageBuilder& message) { FillLink(message, interface, changed); });
  }
  void OnAddress(const net::InterfaceAddress& address, bool removed) override {
    Send(address.local.is_v4() ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR,
         removed ? RTM_DELADDR : RTM_NEWADDR,
         [&](MessageBuilder& message) { FillAddress(message, address); });
  }
  void OnRoute(const net::Route& route, bool removed) override {
    Send(route.family == AF_INET ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE,
         removed ? RTM_DELROUTE : RTM_NEWROUTE,
         [&](MessageBuilder& message) { FillRoute(message, route); });
  }
  void OnNeighbour(const net::Neighbour& neighbour, bool removed) override {
    Send(RTNLGRP_NEIGH, removed ? RTM_DELNEIGH : RTM_NEWNEIGH,
         [&](MessageBuilder& message) { FillNeighbour(message, neighbour); });
  }
  void OnRule(const net::Rule& rule, bool removed) override {
    Send(rule.family == AF_INET ? RTNLGRP_IPV4_RULE : RTNLGRP_IPV6_RULE,
         removed ? RTM_DELRULE : RTM_NEWRULE,
         [&](MessageBuilder& message) { FillRule(message, rule); });
  }

 private:
  template <typename Fill>
  void Send(uint32_t group, uint16_t type, Fill fill) {
    PortTable& ports = network_.Extension<PortTable>();
    if (!ports.HasListeners(NETLINK_ROUTE, group)) return;
    MessageBuilder message(type, 0, 0, 0);
    fill(message);
    ports.Multicast({.data = std::make_shared<const Bytes>(std::move(message).Finish()),
                     .sender_port = 0,
                     .group = group},
                    NETLINK_ROUTE);
  }

  net::NetworkNamespace& network_;
};

}  // namespace

void StartNotifying(net::NetworkNamespace& network) {
  // Lives as long as the namespace's extensions; the first namespace never ends.
  network.AddObserver(new Notifier(network));
}

}  // namespace redoubt::netlink
