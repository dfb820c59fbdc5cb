// SPDX-License-Identifier: Apache-2.0
//
// Linux: net/core/net-procfs.c, net/ipv4/{arp,igmp}.c, net/ipv6/{addrconf,mcast}.c.
#include <linux/neighbour.h>

#include "absl/strings/str_format.h"
#include "sentry/socket/net/proc_text.h"

namespace redoubt::net {

namespace {

std::string Hex(const IpAddress& address) {
  std::string text;
  for (std::byte byte : address.bytes()) absl::StrAppendFormat(&text, "%02x", uint8_t(byte));
  return text;
}

}  // namespace

std::string ProcDev(NetworkNamespace& network) {
  std::string text =
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|"
      "bytes    packets errs drop fifo colls carrier compressed\n";
  for (const Interface& interface : network.Interfaces()) {
    const InterfaceCounters& c = *interface.counters;
    absl::StrAppendFormat(
        &text, "%6s: %7d %7d %4d %4d %4d %5d %10d %9d %8d %7d %4d %4d %4d %5d %7d %10d\n",
        interface.name, c.rx_bytes.load(), c.rx_packets.load(), 0, c.rx_dropped.load(), 0, 0, 0,
        c.multicast.load(), c.tx_bytes.load(), c.tx_packets.load(), 0, c.tx_dropped.load(), 0, 0, 0,
        0);
  }
  return text;
}

// The link-layer groups of Ethernet-like devices: those of 224.0.0.1 and ff02::1.
std::string ProcDevMcast(NetworkNamespace& network) {
  std::string text;
  for (const Interface& interface : network.Interfaces()) {
    if (interface.IsLoopback() || !interface.IsUp()) continue;
    for (const char* group : {"01005e000001", "333300000001"}) {
      absl::StrAppendFormat(&text, "%-4d %-15s %-5d %-5d %s\n", interface.index, interface.name, 1,
                            0, group);
    }
  }
  return text;
}

std::string ProcIgmp(NetworkNamespace& network) {
  std::string text = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n";
  for (const Interface& interface : network.Interfaces()) {
    if (!interface.IsUp()) continue;
    absl::StrAppendFormat(&text, "%d\t%-10s: %5d %7s\n", interface.index, interface.name, 1, "V3");
    absl::StrAppendFormat(&text, "\t\t\t\t%08X %5d %d:%08X\t\t%d\n", 0x010000E0, 1, 0, 0, 0);
  }
  return text;
}

std::string ProcIgmp6(NetworkNamespace& network) {
  std::string text;
  for (const Interface& interface : network.Interfaces()) {
    if (!interface.IsUp()) continue;
    absl::StrAppendFormat(&text, "%-4d %-15s %s %5d %08X %d\n", interface.index, interface.name,
                          "ff020000000000000000000000000001", 1, 0xc, 0);
    absl::StrAppendFormat(&text, "%-4d %-15s %s %5d %08X %d\n", interface.index, interface.name,
                          "ff010000000000000000000000000001", 1, 8, 0);
  }
  return text;
}

std::string ProcArp(NetworkNamespace& network) {
  constexpr int kComplete = 2, kPermanent = 4, kPublished = 8;  // ATF_*
  std::string text =
      "IP address       HW type     Flags       HW address            Mask     Device\n";
  for (const Neighbour& neighbour : network.Neighbours()) {
    if (!neighbour.address.is_v4() || (neighbour.state & NUD_NOARP) != 0) continue;
    std::optional<Interface> interface = network.FindInterface(neighbour.interface_index);
    if (!interface) continue;
    int flags = neighbour.has_hardware_address ? kComplete : 0;
    if ((neighbour.state & NUD_PERMANENT) != 0) flags |= kPermanent;
    if (neighbour.is_proxy) flags = kPublished | kPermanent;
    const HardwareAddress& mac = neighbour.hardware_address;
    absl::StrAppendFormat(&text,
                          "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n",
                          neighbour.address.ToString(), interface->type, flags, mac[0], mac[1],
                          mac[2], mac[3], mac[4], mac[5], interface->name);
  }
  return text;
}

std::string ProcIfInet6(NetworkNamespace& network) {
  std::string text;
  for (const InterfaceAddress& address : network.Addresses()) {
    if (!address.local.is_v6()) continue;
    std::optional<Interface> interface = network.FindInterface(address.interface_index);
    if (!interface) continue;
    int scope = address.local.IsLoopback() ? 0x10 : address.local.IsLinkLocal() ? 0x20 : 0;
    absl::StrAppendFormat(&text, "%s %02x %02x %02x %02x %8s\n", Hex(address.local),
                          interface->index, address.prefix_length, scope, address.flags & 0xff,
                          interface->name);
  }
  return text;
}

}  // namespace redoubt::net
