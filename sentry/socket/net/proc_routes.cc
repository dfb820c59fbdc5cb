// SPDX-License-Identifier: Apache-2.0
//
// Linux: net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c.
#include <net/route.h>

#include "absl/strings/str_format.h"
#include "sentry/socket/net/proc_text.h"

namespace redoubt::net {

namespace {

constexpr size_t kWidth = 127;  // Rows of /proc/net/route are padded.

bool IsReject(const Route& route) {
  return route.type == RTN_UNREACHABLE || route.type == RTN_PROHIBIT;
}

std::string NameOf(NetworkNamespace& network, int index) {
  std::optional<Interface> interface = network.FindInterface(index);
  return interface ? interface->name : "*";
}

// An address as the number that lies in memory.
uint32_t AsInMemory(const IpAddress& address) {
  uint32_t value = 0;
  std::memcpy(&value, address.bytes().data(), sizeof(value));
  return value;
}

std::string Hex(const IpAddress& address) {
  std::string text;
  for (std::byte byte : address.bytes()) absl::StrAppendFormat(&text, "%02x", uint8_t(byte));
  return text;
}

std::string Padded(std::string row) {
  row.resize(std::max(row.size(), kWidth), ' ');
  return row + "\n";
}

std::string V6Row(const IpAddress& destination, int length, const IpAddress& gateway,
                  uint32_t metric, int references, uint32_t flags, const std::string& device) {
  return absl::StrFormat("%s %02x %032x %02x %s %08x %08x %08x %08x %8s\n", Hex(destination),
                         length, 0, 0, Hex(gateway), metric, references, 0, flags, device);
}

const char* ScopeName(uint8_t scope) {
  switch (scope) {
    case RT_SCOPE_UNIVERSE:
      return "universe";
    case RT_SCOPE_SITE:
      return "site";
    case RT_SCOPE_LINK:
      return "link";
    case RT_SCOPE_HOST:
      return "host";
    default:
      return "nowhere";
  }
}

const char* TypeName(uint8_t type) {
  constexpr const char* kNames[] = {"UNSPEC",   "UNICAST",   "LOCAL",     "BROADCAST",
                                    "ANYCAST",  "MULTICAST", "BLACKHOLE", "UNREACHABLE",
                                    "PROHIBIT", "THROW",     "NAT",       "XRESOLVE"};
  return type < std::size(kNames) ? kNames[type] : "UNSPEC";
}

}  // namespace

// fib_route_seq_show(): the main table, without broadcast and multicast.
std::string ProcRoute(NetworkNamespace& network) {
  std::string text =
      Padded("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
  for (const Route& route : network.Routes()) {
    bool shown = route.family == AF_INET && route.table == RT_TABLE_MAIN &&
                 route.type != RTN_BROADCAST && route.type != RTN_MULTICAST;
    if (!shown) continue;
    uint32_t flags = RTF_UP;
    if (IsReject(route)) flags |= RTF_REJECT;
    if (route.gateway) flags |= RTF_GATEWAY;
    if (route.prefix_length == 32) flags |= RTF_HOST;
    uint32_t mask = AsInMemory(IpAddress::V4(0xffffffff).Network(route.prefix_length));
    text += Padded(
        absl::StrFormat("%s\t%08X\t%08X\t%04X\t%d\t%d\t%d\t%08X\t%d\t%d\t%d",
                        NameOf(network, route.interface_index), AsInMemory(route.destination),
                        AsInMemory(route.gateway.value_or(IpAddress())), flags, 0, 0, route.metric,
                        mask, route.mtu != 0 ? route.mtu + 40 : 0, route.window, route.rtt));
  }
  return text;
}

// ipv6_route_seq_show(). Each table has a null entry at its end.
std::string ProcIpv6Route(NetworkNamespace& network) {
  constexpr uint32_t kNoNextHop = 0x200000, kLocal = 0x80000000, kUp = 1;  // RTF_*
  const IpAddress any = IpAddress::Any(AF_INET6);
  const std::string null_entry = V6Row(any, 0, any, 0xffffffff, 1, kNoNextHop | RTF_REJECT, "lo");
  std::string text;
  uint32_t table = RT_TABLE_MAIN;
  for (const Route& route : network.Routes()) {
    if (route.family != AF_INET6) continue;
    if (table == RT_TABLE_MAIN && route.table != table) text += null_entry;
    table = route.table;
    uint32_t flags = kUp;
    flags |= route.gateway ? uint32_t{RTF_GATEWAY} : kNoNextHop * (route.type == RTN_LOCAL);
    if (route.type == RTN_LOCAL) flags |= kLocal;
    if (IsReject(route)) flags |= RTF_REJECT | kNoNextHop;
    if (route.prefix_length == 128 && route.type != RTN_LOCAL) flags |= RTF_HOST;
    // An own address is held by its interface too.
    const int references = route.type == RTN_LOCAL ? 2 : 1;
    text += V6Row(route.destination, route.prefix_length, route.gateway.value_or(any), route.metric,
                  references, flags, NameOf(network, route.interface_index));
  }
  if (table == RT_TABLE_MAIN) text += null_entry;
  return text + null_entry;
}

// fib_trie_seq_show(), with all leaves below one node. Both tables are one while there are no rules
// of a guest's own, and are shown so.
std::string ProcFibTrie(NetworkNamespace& network) {
  std::string leaves;
  IpAddress last;
  bool first = true;
  for (const Route& route : network.Routes()) {
    if (route.family != AF_INET) continue;
    if (first || route.destination != last) {
      absl::StrAppendFormat(&leaves, "     |-- %s\n", route.destination.ToString());
    }
    first = false;
    last = route.destination;
    absl::StrAppendFormat(&leaves, "        /%d %s %s\n", route.prefix_length,
                          ScopeName(route.scope), TypeName(route.type));
  }
  if (leaves.empty()) return "";
  leaves = "  +-- 0.0.0.0/0 1 0 0\n" + leaves;
  return "Main:\n" + leaves + "Local:\n" + leaves;
}

}  // namespace redoubt::net
