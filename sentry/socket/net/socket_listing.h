// SPDX-License-Identifier: Apache-2.0
//
// How sockets of AF_INET and AF_INET6 are listed, for ss(8) (sock_diag) and
// /proc/net/{tcp,udp,raw}. The protocols implement InetSocketSource and set it in their
// NetworkNamespace.
#ifndef SENTRY_SOCKET_NET_SOCKET_LISTING_H_
#define SENTRY_SOCKET_NET_SOCKET_LISTING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "sentry/socket/net/ip_address.h"

namespace redoubt::net {

// What can be told of one socket: struct inet_diag_msg and its attributes.
struct InetSocketInfo {
  int family = 0;     // AF_INET, AF_INET6 (of a dual-stack one too).
  int protocol = 0;   // IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, or a raw socket's.
  bool raw = false;   // SOCK_RAW.
  uint8_t state = 7;  // TCP_*; TCP_CLOSE (7) of unconnected, TCP_ESTABLISHED (1) of connected UDP.
  IpAddress local, remote;
  uint16_t local_port = 0, remote_port = 0;  // Host order; a raw socket's is its protocol.
  int bound_interface = 0;
  uint32_t uid = 0;
  uint64_t inode_number = 0;
  uint64_t cookie = 0;         // SO_COOKIE.
  uint32_t receive_queue = 0;  // Bytes; of a listener the connections that wait.
  uint32_t send_queue = 0;     // Bytes; of a listener its backlog.
  uint32_t references = 2;
  uint32_t drops = 0;
  uint32_t mark = 0;
  // Timer: 0 none, 1 retransmission, 2 keep-alive, 3 TIME_WAIT, 4 window probes.
  uint8_t timer = 0;
  uint8_t retransmits = 0;
  uint32_t timer_expires_ms = 0;
  uint8_t shutdown = 0;  // 1 receiving, 2 sending.
  uint8_t tos = 0, traffic_class = 0;
  bool v6_only = false;
  // SK_MEMINFO_*: rmem, rcvbuf, wmem, sndbuf, forward, wmem queued, optmem, backlog, drops.
  uint32_t memory[9] = {};
  std::string congestion_control;   // Of TCP.
  std::vector<std::byte> tcp_info;  // struct tcp_info, of TCP that is not listening.
};

// What sockstat counts.
struct InetSocketCounts {
  uint32_t tcp4 = 0, tcp6 = 0, udp4 = 0, udp6 = 0, raw4 = 0, raw6 = 0;
  uint32_t tcp_orphans = 0, tcp_time_wait = 0, tcp_allocated = 0;
  uint32_t tcp_memory_pages = 0, udp_memory_pages = 0;
};

class InetSocketSource {
 public:
  virtual ~InetSocketSource() = default;
  // All sockets of a protocol (raw ones: `raw`, any protocol), TIME_WAIT and connections that wait
  // to be accepted too. Without TCP_INFO unless `with_details`.
  virtual std::vector<InetSocketInfo> List(int protocol, bool raw, bool with_details) = 0;
  virtual InetSocketCounts Counts() = 0;
  // SOCK_DESTROY: ends the connection with ECONNABORTED. ENOENT, EOPNOTSUPP.
  virtual Result<void> Destroy(const InetSocketInfo& socket) { return Errno(EOPNOTSUPP); }
};

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_SOCKET_LISTING_H_
