// SPDX-License-Identifier: Apache-2.0
//
// Linux: tcp4_seq_show(), udp4_seq_show(), raw_seq_show() and their likes.
#include <netinet/in.h>

#include "absl/strings/str_format.h"
#include "sentry/socket/net/proc_text.h"

namespace redoubt::net {

namespace {

constexpr char kV6Columns[] =
    "  sl  local_address                         remote_address                        "
    "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

// As the words lie in memory, each as a number.
std::string Hex(const IpAddress& address) {
  std::string text;
  for (size_t i = 0; i < address.size(); i += sizeof(uint32_t)) {
    uint32_t word = 0;
    std::memcpy(&word, address.bytes().data() + i, sizeof(word));
    absl::StrAppendFormat(&text, "%08X", word);
  }
  return text;
}

// Hundredths of a second, the unit of clock_t.
uint32_t Ticks(uint32_t ms) { return ms / 10; }

// What all rows have in common: up to the reference count and the pointer, which nobody is shown.
std::string Common(const InetSocketInfo& socket, int number, int number_width) {
  constexpr uint8_t kListen = 10;
  uint32_t sends = socket.state == kListen ? 0 : socket.send_queue;
  return absl::StrFormat(
      "%*d: %s:%04X %s:%04X %02X %08X:%08X %02X:%08X %08X %5d %8d %d %d %016x", number_width,
      number, Hex(socket.local), socket.local_port, Hex(socket.remote), socket.remote_port,
      socket.state, sends, socket.receive_queue, socket.timer, Ticks(socket.timer_expires_ms),
      socket.retransmits, socket.uid, 0, socket.inode_number, socket.references, 0);
}

std::string Padded(std::string row, size_t width) {
  row.resize(std::max(row.size(), width), ' ');
  return row + "\n";
}

std::vector<InetSocketInfo> List(NetworkNamespace& network, int family, int protocol, bool raw) {
  InetSocketSource* source = network.inet_sockets();
  if (source == nullptr) return {};
  std::vector<InetSocketInfo> sockets = source->List(protocol, raw, false);
  std::erase_if(sockets, [&](const InetSocketInfo& socket) { return socket.family != family; });
  return sockets;
}

// get_tcp4_sock(): how TCP times itself, where it is not over.
std::string TcpTail(const InetSocketInfo& socket) {
  constexpr uint8_t kTimeWait = 6, kListen = 10;
  if (socket.state == kTimeWait) return "";
  if (socket.state == kListen) return " 100 0 0 10 0";
  return " 20 4 30 10 -1";
}

std::string TcpRows(NetworkNamespace& network, int family) {
  constexpr size_t kV4Width = 149;
  std::string text;
  int number = 0;
  for (const InetSocketInfo& socket : List(network, family, IPPROTO_TCP, false)) {
    std::string row = Common(socket, number++, 4) + TcpTail(socket);
    text += Padded(std::move(row), family == AF_INET ? kV4Width : 0);
  }
  return text;
}

std::string DatagramRows(NetworkNamespace& network, int family, int protocol, bool raw,
                         int number_width, size_t width) {
  std::string text;
  int number = 0;
  for (const InetSocketInfo& socket : List(network, family, protocol, raw)) {
    number = raw ? socket.local_port : number + 1;
    text +=
        Padded(Common(socket, number, number_width) + absl::StrFormat(" %d", socket.drops), width);
  }
  return text;
}

std::string V4Heading(const char* first, const char* last, size_t width) {
  return Padded(std::string(first) +
                    "local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
                    "timeout inode" +
                    last,
                width);
}

InetSocketCounts Counts(NetworkNamespace& network) {
  InetSocketSource* source = network.inet_sockets();
  return source != nullptr ? source->Counts() : InetSocketCounts{};
}

}  // namespace

std::string ProcTcp(NetworkNamespace& network) {
  return V4Heading("  sl  ", "", 149) + TcpRows(network, AF_INET);
}

std::string ProcTcp6(NetworkNamespace& network) {
  return std::string(kV6Columns) + "\n" + TcpRows(network, AF_INET6);
}

std::string ProcUdp(NetworkNamespace& network) {
  return V4Heading("   sl  ", " ref pointer drops", 127) +
         DatagramRows(network, AF_INET, IPPROTO_UDP, false, 5, 127);
}

std::string ProcUdp6(NetworkNamespace& network) {
  return std::string(kV6Columns) + " ref pointer drops\n" +
         DatagramRows(network, AF_INET6, IPPROTO_UDP, false, 5, 0);
}

std::string ProcRaw(NetworkNamespace& network) {
  return V4Heading("  sl  ", " ref pointer drops", 0) +
         DatagramRows(network, AF_INET, 0, true, 4, 0);
}

std::string ProcRaw6(NetworkNamespace& network) {
  return std::string(kV6Columns) + " ref pointer drops\n" +
         DatagramRows(network, AF_INET6, 0, true, 5, 0);
}

std::string ProcIcmp(NetworkNamespace& network) {
  return V4Heading("   sl  ", " ref pointer drops", 127) +
         DatagramRows(network, AF_INET, IPPROTO_ICMP, false, 5, 127);
}

std::string ProcIcmp6(NetworkNamespace& network) {
  return std::string(kV6Columns) + " ref pointer drops\n" +
         DatagramRows(network, AF_INET6, IPPROTO_ICMPV6, false, 5, 0);
}

std::string ProcSockstat(NetworkNamespace& network) {
  InetSocketCounts c = Counts(network);
  uint32_t used = c.tcp4 + c.tcp6 + c.udp4 + c.udp6 + c.raw4 + c.raw6;
  return absl::StrFormat(
      "sockets: used %d\n"
      "TCP: inuse %d orphan %d tw %d alloc %d mem %d\n"
      "UDP: inuse %d mem %d\n"
      "UDPLITE: inuse 0\n"
      "RAW: inuse %d\n"
      "FRAG: inuse 0 memory 0\n",
      used, c.tcp4, c.tcp_orphans, c.tcp_time_wait, c.tcp_allocated, c.tcp_memory_pages, c.udp4,
      c.udp_memory_pages, c.raw4);
}

std::string ProcSockstat6(NetworkNamespace& network) {
  InetSocketCounts c = Counts(network);
  return absl::StrFormat(
      "TCP6: inuse %d\nUDP6: inuse %d\nUDPLITE6: inuse 0\nRAW6: inuse %d\n"
      "FRAG6: inuse 0 memory 0\n",
      c.tcp6, c.udp6, c.raw6);
}

// proc_print_proto(): what each protocol can do is Linux's, as are the sizes.
std::string ProcProtocols(NetworkNamespace& network) {
  InetSocketCounts c = Counts(network);
  struct Row {
    const char* name;
    int size;
    uint32_t sockets;
    bool counts_memory;
    bool has_slab;
    int header;
    const char* can;
  };
  const Row rows[] = {
      {"PINGv6", 1344, 0, false, true, 0, "y  y  y  n  n  y  n  n  y  y  y  y  y  y  n  y  y  n"},
      {"RAWv6", 1344, c.raw6, false, true, 0,
       "y  y  y  n  y  y  y  n  y  y  y  y  y  y  y  y  n  n"},
      {"UDPv6", 1472, c.udp6, true, true, 0,
       "y  y  y  n  y  y  y  n  y  y  y  y  n  n  y  y  y  n"},
      {"TCPv6", 2432, c.tcp6, true, true, 192,
       "y  y  y  y  y  y  y  y  y  y  y  y  n  y  y  y  y  y"},
      {"UNIX-STREAM", 1152, 0, false, true, 0,
       "y  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n"},
      {"UNIX", 1152, 0, false, true, 0, "y  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n"},
      {"PING", 1016, 0, false, true, 0, "y  y  y  n  n  y  n  n  y  y  y  y  y  y  n  y  y  n"},
      {"RAW", 1152, c.raw4, false, true, 0, "y  y  y  n  y  y  y  n  y  y  y  y  y  y  y  y  n  n"},
      {"UDP", 1344, c.udp4, true, true, 0, "y  y  y  n  y  y  y  n  y  y  y  y  n  n  y  y  y  n"},
      {"TCP", 2304, c.tcp4, true, true, 192,
       "y  y  y  y  y  y  y  y  y  y  y  y  n  y  y  y  y  y"},
      {"NETLINK", 1096, 0, false, false, 0, "n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n"},
  };
  std::string text =
      "protocol  size sockets  memory press maxhdr  slab module     "
      "cl co di ac io in de sh ss gs se re bi br ha uh gp em\n";
  for (const Row& row : rows) {
    bool pressed = row.counts_memory && row.header != 0;
    absl::StrAppendFormat(&text, "%-9s %4d %6d  %6d   %-3s %6d   %-3s  %-10s  %s\n", row.name,
                          row.size, row.sockets, row.counts_memory ? 0 : -1, pressed ? "no" : "NI",
                          row.header, row.has_slab ? "yes" : "no", "kernel", row.can);
  }
  return text;
}

}  // namespace redoubt::net
