// SPDX-License-Identifier: Apache-2.0
//
// Counters of the protocols, what /proc/net/{snmp,snmp6,netstat} show. Only those that something
// here counts; the files show the others as 0.
//
//   network.counters().Add(Counter::kTcpActiveOpens);
#ifndef SENTRY_SOCKET_NET_COUNTERS_H_
#define SENTRY_SOCKET_NET_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace redoubt::net {

// The words of /proc/net/snmp and netstat, with their group before them.
enum class Counter : uint8_t {
  kIpInReceives,
  kIpInDelivers,
  kIpOutRequests,
  kIpOutNoRoutes,
  kIpInOctets,
  kIpOutOctets,
  kIp6InReceives,
  kIp6InDelivers,
  kIp6OutRequests,
  kIp6OutNoRoutes,
  kIp6InOctets,
  kIp6OutOctets,
  kIcmpInMsgs,
  kIcmpOutMsgs,
  kIcmpInEchos,
  kIcmpInEchoReps,
  kIcmpOutEchos,
  kIcmpOutEchoReps,
  kIcmpInDestUnreachs,
  kIcmpOutDestUnreachs,
  kIcmp6InMsgs,
  kIcmp6OutMsgs,
  kIcmp6InEchos,
  kIcmp6InEchoReplies,
  kIcmp6OutEchos,
  kIcmp6OutEchoReplies,
  kIcmp6InDestUnreachs,
  kIcmp6OutDestUnreachs,
  kTcpActiveOpens,
  kTcpPassiveOpens,
  kTcpAttemptFails,
  kTcpEstabResets,
  kTcpCurrEstab,
  kTcpInSegs,
  kTcpOutSegs,
  kTcpOutRsts,
  kUdpInDatagrams,
  kUdpNoPorts,
  kUdpInErrors,
  kUdpOutDatagrams,
  kUdpRcvbufErrors,
  kUdpSndbufErrors,
  kUdp6InDatagrams,
  kUdp6NoPorts,
  kUdp6InErrors,
  kUdp6OutDatagrams,
  kUdp6RcvbufErrors,
  kUdp6SndbufErrors,
  kTcpExtTw,
  kTcpExtListenOverflows,
  kTcpExtListenDrops,
  kTcpExtAbortOnData,
  kTcpExtAbortOnClose,
  kTcpExtAbortOnTimeout,
  kTcpExtAbortOnLinger,
  kTcpExtKeepAlive,
  kTcpExtOrigDataSent,
  kTcpExtDelivered,
  kCount,
};

class ProtocolCounters {
 public:
  void Add(Counter counter, int64_t amount = 1) {
    values_[static_cast<size_t>(counter)].fetch_add(amount, std::memory_order_relaxed);
  }
  int64_t Get(Counter counter) const {
    return values_[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<int64_t>, static_cast<size_t>(Counter::kCount)> values_{};
};

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_COUNTERS_H_
