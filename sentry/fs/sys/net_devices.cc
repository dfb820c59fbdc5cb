// SPDX-License-Identifier: Apache-2.0
//
// Linux: net/core/net-sysfs.c.
#include "sentry/fs/sys/net_devices.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sentry/socket/net/network_namespace.h"

namespace redoubt::sys {

namespace {

using net::Interface;

// One attribute, of the interface as it is now.
using Show = Result<std::string> (*)(const Interface& interface);

std::string Hardware(const net::HardwareAddress& a) {
  return absl::StrFormat("%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
}

Result<std::string> OperationalState(const Interface& interface) {
  switch (interface.operational_state()) {
    case net::kOperUp:
      return std::string("up");
    case net::kOperDown:
      return std::string("down");
    case net::kOperLowerLayerDown:
      return std::string("lowerlayerdown");
    default:
      return std::string("unknown");
  }
}

// Says nothing of one that is down.
template <int kValue>
Result<std::string> WhenUp(const Interface& interface) {
  if (!interface.IsUp()) return Errno(EINVAL);
  return std::to_string(kValue);
}

Result<std::string> Unknown(const Interface&) { return Errno(EINVAL); }

#define REDOUBT_SHOW(...) \
  [](const Interface& interface) -> Result<std::string> { return absl::StrCat(__VA_ARGS__); }

constexpr struct {
  const char* name;
  Show show;
} kAttributes[] = {
    {"addr_assign_type", REDOUBT_SHOW(interface.IsLoopback() ? 0 : 1)},
    {"addr_len", REDOUBT_SHOW(interface.address.size())},
    {"address", REDOUBT_SHOW(Hardware(interface.address))},
    {"broadcast", REDOUBT_SHOW(Hardware(interface.broadcast))},
    {"carrier", &WhenUp<1>},
    {"carrier_changes", REDOUBT_SHOW(interface.carrier_changes)},
    {"carrier_down_count", REDOUBT_SHOW(interface.carrier_changes / 2)},
    {"carrier_up_count", REDOUBT_SHOW(interface.carrier_changes / 2)},
    {"dev_id", REDOUBT_SHOW("0x", interface.index * 0)},
    {"dev_port", REDOUBT_SHOW(interface.index * 0)},
    {"dormant", &WhenUp<0>},
    {"duplex", &Unknown},
    {"flags", REDOUBT_SHOW(absl::StrFormat("0x%x", interface.flags))},
    {"gro_flush_timeout", REDOUBT_SHOW(interface.index * 0)},
    {"ifalias", REDOUBT_SHOW(interface.alias)},
    {"ifindex", REDOUBT_SHOW(interface.index)},
    {"iflink", REDOUBT_SHOW(interface.peer_index != 0 ? interface.peer_index : interface.index)},
    {"link_mode", REDOUBT_SHOW(interface.index * 0)},
    {"mtu", REDOUBT_SHOW(interface.mtu)},
    {"name_assign_type", &Unknown},
    {"netdev_group", REDOUBT_SHOW(interface.group)},
    {"operstate", &OperationalState},
    {"proto_down", REDOUBT_SHOW(interface.index * 0)},
    {"speed", &Unknown},
    {"testing", &WhenUp<0>},
    {"tx_queue_len", REDOUBT_SHOW(interface.tx_queue_length)},
    {"type", REDOUBT_SHOW(interface.type)},
    {"uevent", REDOUBT_SHOW("INTERFACE=", interface.name, "\nIFINDEX=", interface.index)},
    {"statistics/multicast", REDOUBT_SHOW(interface.counters->multicast.load())},
    {"statistics/rx_bytes", REDOUBT_SHOW(interface.counters->rx_bytes.load())},
    {"statistics/rx_dropped", REDOUBT_SHOW(interface.counters->rx_dropped.load())},
    {"statistics/rx_packets", REDOUBT_SHOW(interface.counters->rx_packets.load())},
    {"statistics/tx_bytes", REDOUBT_SHOW(interface.counters->tx_bytes.load())},
    {"statistics/tx_dropped", REDOUBT_SHOW(interface.counters->tx_dropped.load())},
    {"statistics/tx_packets", REDOUBT_SHOW(interface.counters->tx_packets.load())},
};

#undef REDOUBT_SHOW

constexpr const char* kNeverCounted[] = {
    "collisions",       "rx_compressed",   "rx_crc_errors",     "rx_errors",
    "rx_fifo_errors",   "rx_frame_errors", "rx_length_errors",  "rx_missed_errors",
    "rx_nohandler",     "rx_over_errors",  "tx_aborted_errors", "tx_carrier_errors",
    "tx_compressed",    "tx_errors",       "tx_fifo_errors",    "tx_heartbeat_errors",
    "tx_window_errors",
};

}  // namespace

void AddNetworkDevices(fs::TextTree& tree) {
  const std::string here = "devices/virtual/net/lo/";
  for (const auto& attribute : kAttributes) {
    tree.AddFile(here + attribute.name, 0444, [show = attribute.show]() -> Result<std::string> {
      std::optional<Interface> lo =
          net::NetworkNamespace::Initial().FindInterface(net::kLoopbackIndex);
      if (!lo) return Errno(EINVAL);
      return TRY(show(*lo)) + "\n";
    });
  }
  for (const char* name : kNeverCounted) {
    tree.AddFile(absl::StrCat(here, "statistics/", name), 0444,
                 []() -> Result<std::string> { return std::string("0\n"); });
  }
  tree.AddDirectory(here + "queues/rx-0");
  tree.AddDirectory(here + "queues/tx-0");
  tree.AddDirectory(here + "power");
  tree.AddLink(here + "subsystem", "../../../../class/net");
  tree.AddLink("class/net/lo", "../../devices/virtual/net/lo");
}

}  // namespace redoubt::sys
