// SPDX-License-Identifier: Apache-2.0
//
// RTM_NEWLINK as the kernel sends it: rtnl_fill_ifinfo(), in its order.
#include <linux/if_link.h>

#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

namespace {

using net::Interface;

// rtnl_link_stats is the same with half the width.
void PutCounters(MessageBuilder& message, const Interface& interface) {
  const net::InterfaceCounters& counters = *interface.counters;
  rtnl_link_stats64 stats{};
  stats.rx_packets = counters.rx_packets.load();
  stats.tx_packets = counters.tx_packets.load();
  stats.rx_bytes = counters.rx_bytes.load();
  stats.tx_bytes = counters.tx_bytes.load();
  stats.rx_dropped = counters.rx_dropped.load();
  stats.tx_dropped = counters.tx_dropped.load();
  stats.multicast = counters.multicast.load();
  message.Put(IFLA_STATS64, stats);
  rtnl_link_stats narrow{};
  narrow.rx_packets = static_cast<uint32_t>(stats.rx_packets);
  narrow.tx_packets = static_cast<uint32_t>(stats.tx_packets);
  narrow.rx_bytes = static_cast<uint32_t>(stats.rx_bytes);
  narrow.tx_bytes = static_cast<uint32_t>(stats.tx_bytes);
  narrow.rx_dropped = static_cast<uint32_t>(stats.rx_dropped);
  narrow.tx_dropped = static_cast<uint32_t>(stats.tx_dropped);
  narrow.multicast = static_cast<uint32_t>(stats.multicast);
  message.Put(IFLA_STATS, narrow);
}

// inet6_fill_ifla6_attrs().
void PutInet6(MessageBuilder& message, const Interface& interface) {
  constexpr uint32_t kReady = 0x80000000;  // IF_READY
  message.Put(IFLA_INET6_FLAGS, interface.IsUp() ? kReady : uint32_t{0});
  message.Put(
      IFLA_INET6_CACHEINFO,
      ifla_cacheinfo{
          .max_reasm_len = 65535, .tstamp = 0, .reachable_time = 30000, .retrans_time = 1000});
  message.Put(IFLA_INET6_TOKEN, std::array<uint8_t, 16>{});
  message.Put(IFLA_INET6_ADDR_GEN_MODE, uint8_t{IN6_ADDR_GEN_MODE_EUI64});
}

// What inet_fill_link_af() and inet6_fill_link_af() tell.
void PutFamilies(MessageBuilder& message, const Interface& interface) {
  Nest families(message, IFLA_AF_SPEC);
  {
    // Indexes are IPV4_DEVCONF_* less one.
    std::array<uint32_t, 33> settings{};
    settings[0] = 0;       // FORWARDING
    settings[3] = 1;       // ACCEPT_REDIRECTS
    settings[4] = 1;       // SECURE_REDIRECTS
    settings[5] = 1;       // SEND_REDIRECTS
    settings[6] = 1;       // SHARED_MEDIA
    settings[8] = 1;       // ACCEPT_SOURCE_ROUTE
    settings[24] = 10000;  // IGMPV2_UNSOLICITED_REPORT_INTERVAL
    settings[25] = 1000;   // IGMPV3_UNSOLICITED_REPORT_INTERVAL
    if (interface.IsLoopback()) settings[16] = settings[17] = 1;  // NOXFRM, NOPOLICY
    Nest inet(message, AF_INET);
    message.Put(IFLA_INET_CONF, settings);
  }
  Nest inet6(message, AF_INET6);
  PutInet6(message, interface);
}

void PutSizes(MessageBuilder& message, const Interface& interface) {
  message.Put(IFLA_MTU, interface.mtu);
  message.Put(IFLA_MIN_MTU, interface.minimum_mtu);
  message.Put(IFLA_MAX_MTU, interface.maximum_mtu);
  message.Put(IFLA_GROUP, interface.group);
  message.Put(IFLA_PROMISCUITY, static_cast<uint32_t>(interface.promiscuity));
  message.Put(IFLA_NUM_TX_QUEUES, uint32_t{1});
  message.Put(IFLA_GSO_MAX_SEGS, uint32_t{65535});
  message.Put(IFLA_GSO_MAX_SIZE, uint32_t{65536});
  message.Put(IFLA_GRO_MAX_SIZE, uint32_t{65536});
  message.Put(IFLA_TSO_MAX_SIZE, uint32_t{interface.IsLoopback() ? 524280u : 65536u});
  message.Put(IFLA_TSO_MAX_SEGS, uint32_t{65535});
  message.Put(IFLA_NUM_RX_QUEUES, uint32_t{1});
}

}  // namespace

void FillInet6Link(MessageBuilder& message, const Interface& interface) {
  message.PutHeader(ifinfomsg{.ifi_family = AF_INET6,
                              .__ifi_pad = 0,
                              .ifi_type = interface.type,
                              .ifi_index = interface.index,
                              .ifi_flags = interface.ShownFlags(),
                              .ifi_change = 0});
  message.PutString(IFLA_IFNAME, interface.name);
  message.Put(IFLA_ADDRESS, interface.address);
  message.Put(IFLA_MTU, interface.mtu);
  if (interface.peer_index != 0) message.Put(IFLA_LINK, interface.peer_index);
  message.Put(IFLA_OPERSTATE, interface.operational_state());
  Nest inet6(message, IFLA_PROTINFO);
  PutInet6(message, interface);
}

void FillLink(MessageBuilder& message, const Interface& interface, uint32_t changed) {
  message.PutHeader(ifinfomsg{.ifi_family = AF_UNSPEC,
                              .__ifi_pad = 0,
                              .ifi_type = interface.type,
                              .ifi_index = interface.index,
                              .ifi_flags = interface.ShownFlags(),
                              .ifi_change = changed});
  message.PutString(IFLA_IFNAME, interface.name);
  message.Put(IFLA_TXQLEN, interface.tx_queue_length);
  message.Put(IFLA_OPERSTATE, interface.operational_state());
  message.Put(IFLA_LINKMODE, uint8_t{0});
  PutSizes(message, interface);
  message.Put(IFLA_CARRIER, uint8_t{interface.carrier});
  message.PutString(IFLA_QDISC, interface.IsUp() ? "noqueue" : "noop");
  if (!interface.alias.empty()) message.PutString(IFLA_IFALIAS, interface.alias);
  message.Put(IFLA_CARRIER_CHANGES, interface.carrier_changes);
  message.Put(IFLA_CARRIER_UP_COUNT, interface.carrier_changes / 2);
  message.Put(IFLA_CARRIER_DOWN_COUNT, (interface.carrier_changes + 1) / 2);
  message.Put(IFLA_PROTO_DOWN, uint8_t{0});
  message.Put(IFLA_MAP, rtnl_link_ifmap{});
  message.Put(IFLA_ADDRESS, interface.address);
  message.Put(IFLA_BROADCAST, interface.broadcast);
  PutCounters(message, interface);
  {
    Nest xdp(message, IFLA_XDP);
    message.Put(IFLA_XDP_ATTACHED, uint8_t{0});
  }
  if (!interface.kind.empty()) {
    Nest info(message, IFLA_LINKINFO);
    message.PutString(IFLA_INFO_KIND, interface.kind);
  }
  if (interface.peer_index != 0) message.Put(IFLA_LINK, interface.peer_index);
  PutFamilies(message, interface);
}

}  // namespace redoubt::netlink
