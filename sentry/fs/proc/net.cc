// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/net.h"

#include "sentry/fs/proc/net_rows.h"
#include "sentry/socket/net/proc_text.h"

namespace redoubt::proc {

namespace {

// A file that the process's network namespace writes.
template <std::string (*kText)(net::NetworkNamespace&)>
Result<std::string> OfNetwork(const Subject& subject) {
  vfs::Caller caller = subject.View();
  return kText(net::NamespaceOf(caller));
}

// A table of another family's: its heading, and the rows of whoever provides them.
Result<std::string> WithRows(const Subject& subject, std::string_view table,
                             std::string_view heading) {
  vfs::Caller caller = subject.View();
  return std::string(heading) + RowsOf(table, net::NamespaceOf(caller));
}

Result<std::string> Unix(const Subject& subject) {
  return WithRows(subject, "unix", "Num       RefCount Protocol Flags    Type St Inode Path\n");
}

Result<std::string> Netlink(const Subject& subject) {
  return WithRows(
      subject, "netlink",
      "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops  "
      "  Inode\n");
}

Result<std::string> Packet(const Subject& subject) {
  return WithRows(subject, "packet",
                  "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
}

Result<std::string> Psched(const Subject&) {
  return std::string("000003e8 00000040 000f4240 3b9aca00\n");
}

constexpr TaskEntry File(std::string_view name, TaskText text) {
  return TextEntry(name, 0444, Access::kAnyone, text);
}

constexpr auto kEntries = std::to_array<TaskEntry>({
    File("arp", &OfNetwork<net::ProcArp>),
    File("dev", &OfNetwork<net::ProcDev>),
    File("dev_mcast", &OfNetwork<net::ProcDevMcast>),
    File("fib_trie", &OfNetwork<net::ProcFibTrie>),
    File("icmp", &OfNetwork<net::ProcIcmp>),
    File("icmp6", &OfNetwork<net::ProcIcmp6>),
    File("if_inet6", &OfNetwork<net::ProcIfInet6>),
    File("igmp", &OfNetwork<net::ProcIgmp>),
    File("igmp6", &OfNetwork<net::ProcIgmp6>),
    File("ipv6_route", &OfNetwork<net::ProcIpv6Route>),
    File("netlink", &Netlink),
    File("netstat", &OfNetwork<net::ProcNetstat>),
    File("packet", &Packet),
    File("protocols", &OfNetwork<net::ProcProtocols>),
    File("psched", &Psched),
    File("raw", &OfNetwork<net::ProcRaw>),
    File("raw6", &OfNetwork<net::ProcRaw6>),
    File("route", &OfNetwork<net::ProcRoute>),
    File("snmp", &OfNetwork<net::ProcSnmp>),
    File("snmp6", &OfNetwork<net::ProcSnmp6>),
    File("sockstat", &OfNetwork<net::ProcSockstat>),
    File("sockstat6", &OfNetwork<net::ProcSockstat6>),
    File("tcp", &OfNetwork<net::ProcTcp>),
    File("tcp6", &OfNetwork<net::ProcTcp6>),
    File("udp", &OfNetwork<net::ProcUdp>),
    File("udp6", &OfNetwork<net::ProcUdp6>),
    File("unix", &Unix),
});

}  // namespace

std::span<const TaskEntry> NetEntries() { return kEntries; }

}  // namespace redoubt::proc
