// SPDX-License-Identifier: Apache-2.0
//
// ICMP echo sockets (net/ipv4/ping.c): socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP). The kernel of the
// destination answers, and that is us.
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include <cstring>
#include <utility>

#include "sentry/socket/inet/udp_endpoint.h"
#include "sentry/time/clock.h"

namespace redoubt::inet {

using net::Counter;

namespace {

// struct icmphdr of an echo; ICMPv6 has the same.
struct EchoHeader {
  uint8_t type = 0;
  uint8_t code = 0;
  uint16_t checksum = 0;
  uint16_t identifier = 0;  // Network order, like the next.
  uint16_t sequence = 0;
};
static_assert(sizeof(EchoHeader) == sizeof(icmphdr));

// RFC 1071.
uint16_t Checksum(std::span<const std::byte> data) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < data.size(); i += 2) {
    uint16_t word = 0;
    std::memcpy(&word, data.data() + i, sizeof(word));
    sum += word;
  }
  if (data.size() % 2 != 0) sum += std::to_integer<uint32_t>(data.back());
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

}  // namespace

Result<size_t> UdpEndpoint::TransmitEcho(std::span<const std::byte> data, const Target& target,
                                         const DatagramSettings& settings) {
  const bool v4 = protocol_ == IPPROTO_ICMP;
  EchoHeader header;
  if (data.size() < sizeof(header)) return Errno(EINVAL);
  std::memcpy(&header, data.data(), sizeof(header));
  if (header.type != (v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST) || header.code != 0) {
    return Errno(EINVAL);
  }
  if (v4 != target.name.address.is_v4()) return Errno(EINVAL);
  network_->counters().Add(v4 ? Counter::kIcmpOutEchos : Counter::kIcmp6OutEchos);
  network_->loopback_counters().CountLoopback(2, (data.size() + 20) * 2);
  if (v4 && network_->settings().Get(net::Setting::kIgnoreEchoAll) != 0) return data.size();
  Datagram reply;
  {
    MutexLock lock(&mu_);
    header.identifier = htons(local_.port);
    reply.destination = {target.source, local_.port, 0};
  }
  header.type = v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
  header.checksum = 0;
  reply.data.assign(data.begin(), data.end());
  std::memcpy(reply.data.data(), &header, sizeof(header));
  // Of ICMPv6 the pseudo-header belongs in the sum as well; nobody checks it here.
  header.checksum = Checksum(reply.data);
  std::memcpy(reply.data.data(), &header, sizeof(header));
  reply.source = {target.name.address, 0, 0};
  reply.interface_index = target.interface_index;
  reply.received_ns = time::Now(time::Clock::kRealtime);
  network_->counters().Add(v4 ? Counter::kIcmpInEchoReps : Counter::kIcmp6InEchoReplies);
  Deliver(std::move(reply));
  return data.size();
}

}  // namespace redoubt::inet
