// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/net.h"

#include <algorithm>
#include <array>

#include "sentry/fs/proc/net_rows.h"

namespace redoubt::proc {

namespace {

// A literal that a template can be made for.
template <size_t kSize>
struct Literal {
  constexpr Literal(const char (&literal)[kSize]) {  // NOLINT(runtime/explicit)
    std::copy_n(literal, kSize, text);
  }
  constexpr std::string_view view() const { return {text, kSize - 1}; }
  char text[kSize] = {};
};

// A table: `kHeading` and what the provider of `kName` says, or else `kOtherwise`.
template <Literal kName, Literal kHeading, Literal kOtherwise = "">
Result<std::string> Table(const Subject&) {
  return std::string(kHeading.view()) + RowsOf(kName.view(), kOtherwise.view());
}

template <Literal kName, Literal kHeading, Literal kOtherwise = "">
constexpr TaskEntry TableEntry() {
  return TextEntry(kName.view(), 0444, Access::kAnyone, &Table<kName, kHeading, kOtherwise>);
}

constexpr auto kEntries = std::to_array<TaskEntry>({
    TableEntry<"arp",
               "IP address       HW type     Flags       HW address            Mask     "
               "Device\n">(),
    TableEntry<"dev",
               "Inter-|   Receive                                                |  Transmit\n"
               " face |bytes    packets errs drop fifo frame compressed multicast|"
               "bytes    packets errs drop fifo colls carrier compressed\n",
               "    lo:       0       0    0    0    0     0          0         0"
               "        0       0    0    0    0     0       0          0\n">(),
    TableEntry<"if_inet6", "", "00000000000000000000000000000001 01 80 10 80       lo\n">(),
    TableEntry<"netlink",
               "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    "
               "Inode\n">(),
    TableEntry<"netstat",
               "TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed\n"
               "TcpExt: 0 0 0\n"
               "IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts\n"
               "IpExt: 0 0 0 0\n">(),
    TableEntry<"packet", "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n">(),
    TableEntry<"protocols",
               "protocol  size sockets  memory press maxhdr  slab module     "
               "cl co di ac io in de sh ss gs se re sp bi br ha uh gp em\n">(),
    TableEntry<"psched", "000003e8 00000040 000f4240 3b9aca00\n">(),
    TableEntry<"raw",
               "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
               "timeout inode ref pointer drops\n">(),
    TableEntry<"raw6",
               "  sl  local_address                         remote_address                        "
               "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer "
               "drops\n">(),
    TableEntry<"route",
               "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\t"
               "IRTT"
               "                                                       \n">(),
    TableEntry<"snmp",
               "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
               "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
               "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n"
               "Ip: 2 64 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
               "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
               "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
               "Tcp: 1 200 120000 -1 0 0 0 0 0 0 0 0 0 0 0\n"
               "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
               "InCsumErrors IgnoredMulti MemErrors\n"
               "Udp: 0 0 0 0 0 0 0 0 0\n">(),
    TableEntry<"sockstat",
               "sockets: used 0\n"
               "TCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\n"
               "UDP: inuse 0 mem 0\n"
               "UDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n">(),
    TableEntry<"tcp",
               "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
               "timeout inode                                                     \n">(),
    TableEntry<"tcp6",
               "  sl  local_address                         remote_address                        "
               "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n">(),
    TableEntry<
        "udp",
        "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
        "timeout inode ref pointer drops            \n">(),
    TableEntry<"udp6",
               "  sl  local_address                         remote_address                        "
               "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer "
               "drops\n">(),
    TableEntry<"unix", "Num       RefCount Protocol Flags    Type St Inode Path\n">(),
    TableEntry<"wireless",
               "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
               " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | "
               "22\n">(),
});

}  // namespace

std::span<const TaskEntry> NetEntries() { return kEntries; }

}  // namespace redoubt::proc
