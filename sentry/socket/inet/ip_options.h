// SPDX-License-Identifier: Apache-2.0
//
// Options of SOL_IP and SOL_IPV6 that are a number (ip(7), ipv6(7)): one table of their names and
// bounds. What they do is with whoever reads them by Get().
//
//   TRY(options.Set(SOL_IP, IP_TTL, value));
//   if (options.Get(IpOption::kReceiveTtl)) ...
//
// Most sockets never set one: endpoints make their IpOptions at the first Set().
#ifndef SENTRY_SOCKET_INET_IP_OPTIONS_H_
#define SENTRY_SOCKET_INET_IP_OPTIONS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace redoubt::inet {

enum class IpOption : uint8_t {
  kTos,
  kTtl,
  kMtuDiscover,
  kReceiveError,
  kPacketInfo,
  kReceiveTtl,
  kReceiveTos,
  kReceiveOptions,
  kReturnOptions,
  kReceiveOriginalAddress,
  kFreeBind,
  kTransparent,
  kBindAddressNoPort,
  kMulticastTtl,
  kMulticastLoop,
  kMulticastAll,
  kMinimumTtl,
  kNoDefragment,
  kChecksum,
  kReceiveErrorRfc4884,
  kPassSecurity,
  kUnicastInterface,
  k6UnicastHops,
  k6MulticastHops,
  k6MulticastLoop,
  k6MulticastAll,
  k6MtuDiscover,
  k6ReceiveError,
  k6ReceivePacketInfo,
  k6ReceiveHopLimit,
  k6ReceiveTrafficClass,
  k6TrafficClass,
  k6ReceiveOriginalAddress,
  k6ReceivePathMtu,
  k6ReceiveRoutingHeader,
  k6ReceiveHopOptions,
  k6ReceiveDestinationOptions,
  k6FlowInfo,
  k6FlowInfoSend,
  k6AutoFlowLabel,
  k6DontFragment,
  k6AddressPreferences,
  k6FreeBind,
  k6Transparent,
  k6MinimumHops,
  k6RouterAlert,
  k6UnicastInterface,
  kCount,
};

class IpOptions {
 public:
  IpOptions();
  IpOptions(const IpOptions& other) { *this = other; }
  IpOptions& operator=(const IpOptions& other);

  int32_t Get(IpOption option) const {
    return values_[static_cast<size_t>(option)].load(std::memory_order_relaxed);
  }
  // ENOPROTOOPT: not one of these. EINVAL: too short, out of bounds.
  Result<void> Set(int level, int name, std::span<const std::byte> value);
  // As the guest sees it; for a `length` below 4 one byte where that is enough, as Linux gives it.
  Result<std::vector<std::byte>> Show(int level, int name, size_t length) const;
  // As no socket set any.
  static const IpOptions& Defaults();
  static bool Knows(int level, int name);

 private:
  std::array<std::atomic<int32_t>, static_cast<size_t>(IpOption::kCount)> values_{};
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_IP_OPTIONS_H_
