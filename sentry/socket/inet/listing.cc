// SPDX-License-Identifier: Apache-2.0
//
// InetStack's sockets as ss(8) and /proc/net list them.
#include <netinet/in.h>

#include <algorithm>

#include "sentry/socket/inet/inet_stack.h"
#include "sentry/socket/inet/tcp_endpoint.h"
#include "sentry/socket/inet/tcp_limits.h"
#include "sentry/time/clock.h"

namespace redoubt::inet {

namespace {

constexpr uint8_t kTimeWaitState = 6;
constexpr uint8_t kTimeWaitTimer = 3;
constexpr int64_t kTimeWaitMilliseconds = 60'000;

net::InetSocketInfo InfoOf(const TimeWait& wait) {
  net::InetSocketInfo info;
  info.family = wait.family;
  info.protocol = IPPROTO_TCP;
  info.state = kTimeWaitState;
  const bool mapped = wait.family == AF_INET6;
  info.local = mapped ? wait.name.local.address.Mapped() : wait.name.local.address;
  info.remote = mapped ? wait.name.remote.address.Mapped() : wait.name.remote.address;
  info.local_port = wait.name.local.port;
  info.remote_port = wait.name.remote.port;
  info.timer = kTimeWaitTimer;
  const int64_t age = (time::Now(time::Clock::kMonotonic) - wait.since_ns) / 1'000'000;
  info.timer_expires_ms = static_cast<uint32_t>(std::max<int64_t>(kTimeWaitMilliseconds - age, 0));
  info.references = 3;
  return info;
}

}  // namespace

std::vector<net::InetSocketInfo> InetStack::List(int protocol, bool raw, bool with_details) {
  std::vector<net::InetSocketInfo> result;
  if (raw) return result;
  PortTable* table = protocol == IPPROTO_TCP ? &tcp_ : protocol == IPPROTO_UDP ? &udp_ : nullptr;
  if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) table = &echo_;
  if (table == nullptr) return result;
  for (const RefPtr<InetEndpoint>& endpoint : table->Endpoints()) {
    net::InetSocketInfo info;
    if (!endpoint->Describe(info, with_details)) continue;
    if (table == &echo_ && info.protocol != protocol) continue;
    info.references -= std::min(info.references, 1u);  // Ours.
    result.push_back(std::move(info));
  }
  if (protocol == IPPROTO_TCP) {
    for (const TimeWait& wait : tcp_.TimeWaits()) result.push_back(InfoOf(wait));
  }
  return result;
}

net::InetSocketCounts InetStack::Counts() {
  net::InetSocketCounts counts;
  for (const RefPtr<InetEndpoint>& endpoint : tcp_.Endpoints()) {
    ++(endpoint->family() == AF_INET ? counts.tcp4 : counts.tcp6);
  }
  for (const RefPtr<InetEndpoint>& endpoint : udp_.Endpoints()) {
    ++(endpoint->family() == AF_INET ? counts.udp4 : counts.udp6);
  }
  counts.tcp_time_wait = static_cast<uint32_t>(tcp_.TimeWaits().size());
  counts.tcp_allocated = counts.tcp4 + counts.tcp6;
  counts.tcp_memory_pages = static_cast<uint32_t>(tcp_memory::used.load() / 4096);
  return counts;
}

Result<void> InetStack::Destroy(const net::InetSocketInfo& socket) {
  if (socket.protocol != IPPROTO_TCP) return Errno(EOPNOTSUPP);
  for (const RefPtr<InetEndpoint>& endpoint : tcp_.Endpoints()) {
    net::InetSocketInfo info;
    if (!endpoint->Describe(info, false)) continue;
    const bool same = info.local == socket.local && info.local_port == socket.local_port &&
                      info.remote == socket.remote && info.remote_port == socket.remote_port;
    if (!same) continue;
    static_cast<TcpEndpoint&>(*endpoint).Abort(ECONNABORTED);
    return {};
  }
  return Errno(ENOENT);
}

}  // namespace redoubt::inet
