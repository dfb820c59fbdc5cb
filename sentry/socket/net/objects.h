// SPDX-License-Identifier: Apache-2.0
//
// What a network namespace consists of, as values: NetworkNamespace gives copies of them out, so
// that nobody reads them under its lock. Names and numbers are rtnetlink's (rtnetlink(7)).
#ifndef SENTRY_SOCKET_NET_OBJECTS_H_
#define SENTRY_SOCKET_NET_OBJECTS_H_

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/ref_counted.h"
#include "sentry/socket/net/ip_address.h"

namespace redoubt::net {

inline constexpr int kLoopbackIndex = 1;
// What <net/if.h> lacks, and <linux/if.h>, which cannot be included besides it, has.
inline constexpr uint32_t kFlagLowerUp = 1 << 16;  // IFF_LOWER_UP.
inline constexpr uint32_t kFlagDormant = 1 << 17;  // IFF_DORMANT.
enum OperationalState : uint8_t {                  // IF_OPER_*.
  kOperUnknown = 0,
  kOperDown = 2,
  kOperLowerLayerDown = 3,
  kOperUp = 6,
};
inline constexpr uint32_t kForever = 0xffffffff;  // A lifetime without end.
using HardwareAddress = std::array<uint8_t, 6>;

// Traffic of an interface. References: its Interface and copies of that. On lo every packet counts
// both ways: CountLoopback().
struct InterfaceCounters : public RefCounted<InterfaceCounters> {
  std::atomic<uint64_t> rx_packets{0}, rx_bytes{0}, rx_dropped{0}, multicast{0};
  std::atomic<uint64_t> tx_packets{0}, tx_bytes{0}, tx_dropped{0};
  void CountLoopback(uint64_t packets, uint64_t bytes) {
    rx_packets.fetch_add(packets, std::memory_order_relaxed);
    rx_bytes.fetch_add(bytes, std::memory_order_relaxed);
    tx_packets.fetch_add(packets, std::memory_order_relaxed);
    tx_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
};

// struct net_device.
struct Interface {
  int index = 0;
  std::string name;
  std::string kind;    // IFLA_INFO_KIND: "dummy", "veth"; empty for lo.
  uint16_t type = 1;   // ARPHRD_ETHER, ARPHRD_LOOPBACK.
  uint32_t flags = 0;  // IFF_* that can be set; see ShownFlags().
  uint32_t mtu = 1500;
  uint32_t minimum_mtu = 0;
  uint32_t maximum_mtu = 0;
  uint32_t tx_queue_length = 1000;
  uint32_t group = 0;
  uint32_t carrier_changes = 0;
  int promiscuity = 0;
  int peer_index = 0;  // IFLA_LINK: the other end of a veth pair; 0 none.
  bool carrier = true;
  HardwareAddress address{};
  HardwareAddress broadcast{};
  std::string alias;  // IFLA_IFALIAS.
  RefPtr<InterfaceCounters> counters;

  bool IsLoopback() const { return (flags & IFF_LOOPBACK) != 0; }
  bool IsUp() const { return (flags & IFF_UP) != 0; }
  // As dev_get_flags(): with IFF_RUNNING and IFF_LOWER_UP of a running one.
  uint32_t ShownFlags() const;
  uint8_t operational_state() const;
};

// struct in_ifaddr, inet6_ifaddr.
struct InterfaceAddress {
  int interface_index = 0;
  IpAddress local;
  IpAddress peer;                      // IFA_ADDRESS; as `local` unless point to point.
  std::optional<IpAddress> broadcast;  // IFA_BROADCAST.
  uint8_t prefix_length = 0;
  uint8_t scope = RT_SCOPE_UNIVERSE;       // RT_SCOPE_*.
  uint32_t flags = 0;                      // IFA_F_*.
  uint8_t protocol = 0;                    // IFA_PROTO.
  uint32_t metric = 0;                     // IFA_RT_PRIORITY.
  std::string label;                       // IFA_LABEL, of v4.
  uint32_t preferred_lifetime = kForever;  // Seconds, counted from `changed_ns`.
  uint32_t valid_lifetime = kForever;
  int64_t created_ns = 0;  // Monotonic clock.
  int64_t changed_ns = 0;
};

// struct fib_info with its one next hop.
struct Route {
  int family = 0;
  IpAddress destination;
  uint8_t prefix_length = 0;
  uint8_t tos = 0;
  uint8_t type = RTN_UNICAST;      // RTN_*.
  uint8_t protocol = RTPROT_BOOT;  // RTPROT_*.
  uint8_t scope = RT_SCOPE_UNIVERSE;
  uint8_t preference = 0;  // RTA_PREF, of v6.
  uint32_t table = RT_TABLE_MAIN;
  uint32_t metric = 0;  // RTA_PRIORITY.
  uint32_t flags = 0;   // RTNH_F_*.
  uint32_t mtu = 0, window = 0, rtt = 0;
  int interface_index = 0;  // RTA_OIF; 0 of blackholes and their like.
  std::optional<IpAddress> gateway;
  std::optional<IpAddress> preferred_source;
};

// struct neighbour.
struct Neighbour {
  int interface_index = 0;
  IpAddress address;
  HardwareAddress hardware_address{};
  bool has_hardware_address = false;
  uint16_t state = NUD_PERMANENT;  // NUD_*.
  uint8_t flags = 0;               // NTF_*.
  uint8_t type = RTN_UNICAST;
  uint8_t protocol = 0;
  bool is_proxy = false;
};

// struct fib_rule.
struct Rule {
  int family = 0;
  uint32_t priority = 0;
  uint32_t table = RT_TABLE_MAIN;
  uint8_t action = 1;    // FR_ACT_TO_TBL.
  uint8_t protocol = 0;  // RTPROT_*.
  uint8_t tos = 0;
  IpAddress source, destination;
  uint8_t source_length = 0, destination_length = 0;
  std::string input_interface, output_interface;
  uint32_t mark = 0, mark_mask = 0;
  uint32_t flags = 0;   // FIB_RULE_*.
  bool invert = false;  // FIB_RULE_INVERT.
  uint32_t suppress_prefix_length = 0xffffffff;
  uint32_t goto_priority = 0;
};

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_OBJECTS_H_
