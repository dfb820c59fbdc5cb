// SPDX-License-Identifier: Apache-2.0
//
// Settings of a network namespace: /proc/sys/net. Each is a named group of up to three integers (or
// a word), with bounds; who reads one that protocols use has a typed index for it.
//
//   uint32_t first = network.settings().Get(Setting::kLocalPortRange, 0);
//   network.settings().Find("ipv4/tcp_rmem")
#ifndef SENTRY_SOCKET_NET_SETTINGS_H_
#define SENTRY_SOCKET_NET_SETTINGS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::net {

enum class Setting : uint8_t {
  kReadMemoryDefault,      // core/rmem_default
  kReadMemoryMaximum,      // core/rmem_max
  kWriteMemoryDefault,     // core/wmem_default
  kWriteMemoryMaximum,     // core/wmem_max
  kMaximumBacklog,         // core/somaxconn
  kOptionMemoryMaximum,    // core/optmem_max
  kIpForward,              // ipv4/ip_forward
  kDefaultTtl,             // ipv4/ip_default_ttl
  kNonlocalBind,           // ipv4/ip_nonlocal_bind
  kLocalPortRange,         // ipv4/ip_local_port_range: first, last
  kUnprivilegedPortStart,  // ipv4/ip_unprivileged_port_start
  kPingGroupRange,         // ipv4/ping_group_range: first, last
  kIgnoreEchoAll,          // ipv4/icmp_echo_ignore_all
  kTcpReadMemory,          // ipv4/tcp_rmem: minimum, default, maximum
  kTcpWriteMemory,         // ipv4/tcp_wmem
  kTcpFinTimeout,          // ipv4/tcp_fin_timeout, seconds
  kTcpKeepaliveTime,       // ipv4/tcp_keepalive_time, seconds
  kTcpKeepaliveInterval,   // ipv4/tcp_keepalive_intvl, seconds
  kTcpKeepaliveProbes,     // ipv4/tcp_keepalive_probes
  kTcpMaxSynBacklog,       // ipv4/tcp_max_syn_backlog
  kTcpReuseTimeWait,       // ipv4/tcp_tw_reuse
  kTcpRetries2,            // ipv4/tcp_retries2
  kTcpSynRetries,          // ipv4/tcp_syn_retries
  kTcpAbortOnOverflow,     // ipv4/tcp_abort_on_overflow
  kTcpNotSentLowat,        // ipv4/tcp_notsent_lowat
  kUdpReadMemoryMinimum,   // ipv4/udp_rmem_min
  kUdpWriteMemoryMinimum,  // ipv4/udp_wmem_min
  kMaximumMemberships,     // ipv4/igmp_max_memberships
  kBindV6Only,             // ipv6/bindv6only
  kV6NonlocalBind,         // ipv6/ip_nonlocal_bind
  kDefaultHopLimit,        // ipv6/conf/default/hop_limit
  kUnixMaximumDatagrams,   // unix/max_dgram_qlen
  kCount,
};

// How a setting looks: settings.cc has the table, in the order of the enumeration.
struct SettingShape {
  std::string_view path;  // Below /proc/sys/net/.
  uint8_t count = 1;      // Numbers in it.
  std::array<int64_t, 3> initial{};
  int64_t minimum = 0, maximum = 0x7fffffff;
};

class Settings {
 public:
  Settings();
  int64_t Get(Setting setting, size_t index = 0) const {
    return values_[static_cast<size_t>(setting)][index].load(std::memory_order_relaxed);
  }
  void Set(Setting setting, size_t index, int64_t value) {
    values_[static_cast<size_t>(setting)][index].store(value, std::memory_order_relaxed);
  }
  // "4096\t131072\t6291456\n".
  std::string Text(Setting setting) const;
  // As written by a guest: numbers by white space, fewer than all are allowed. EINVAL.
  Result<void> SetText(Setting setting, std::string_view text);

 private:
  std::array<std::array<std::atomic<int64_t>, 3>, static_cast<size_t>(Setting::kCount)> values_{};
};

std::span<const SettingShape> SettingShapes();

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_SETTINGS_H_
