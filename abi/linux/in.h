// SPDX-License-Identifier: Apache-2.0
//
// Internet addresses and control messages (ip(7), ipv6(7)).
#ifndef ABI_LINUX_IN_H_
#define ABI_LINUX_IN_H_

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>

namespace redoubt::abi {

// struct sockaddr_in. Port and address in network order.
struct SockaddrIn {
  uint16_t family = 0;
  uint16_t port = 0;
  uint32_t address = 0;
  uint8_t zero[8] = {};
};
static_assert(sizeof(SockaddrIn) == sizeof(sockaddr_in));

// struct sockaddr_in6.
struct SockaddrIn6 {
  uint16_t family = 0;
  uint16_t port = 0;
  uint32_t flow_info = 0;
  uint8_t address[16] = {};
  uint32_t scope_id = 0;
};
static_assert(sizeof(SockaddrIn6) == sizeof(sockaddr_in6));
inline constexpr size_t kSockaddrIn6Shortest = 24;  // SIN6_LEN_RFC2133: without the scope.

// struct in_pktinfo. Addresses in network order.
struct InPacketInfo {
  int32_t interface_index = 0;
  uint32_t specific_destination = 0;
  uint32_t address = 0;
};
static_assert(sizeof(InPacketInfo) == sizeof(in_pktinfo));

// struct in6_pktinfo.
struct In6PacketInfo {
  uint8_t address[16] = {};
  int32_t interface_index = 0;
};
static_assert(sizeof(In6PacketInfo) == sizeof(in6_pktinfo));

// struct ip_mreqn; struct ip_mreq is its beginning.
struct MulticastRequest {
  uint32_t group = 0;
  uint32_t local = 0;
  int32_t interface_index = 0;
};
static_assert(sizeof(MulticastRequest) == sizeof(ip_mreqn));

// struct ipv6_mreq.
struct MulticastRequest6 {
  uint8_t group[16] = {};
  int32_t interface_index = 0;
};
static_assert(sizeof(MulticastRequest6) == sizeof(ipv6_mreq));

// struct sock_extended_err; the offender's address follows.
struct SockExtendedError {
  uint32_t error = 0;
  uint8_t origin = 0;
  uint8_t type = 0;
  uint8_t code = 0;
  uint8_t padding = 0;
  uint32_t info = 0;
  uint32_t data = 0;
};
static_assert(sizeof(SockExtendedError) == 16);

}  // namespace redoubt::abi

#endif  // ABI_LINUX_IN_H_
