// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/ip_options.h"

#include <linux/in6.h>
#include <netinet/in.h>

#include <cstring>

namespace redoubt::inet {

namespace {

constexpr int kTransparentV6 = 75;   // IPV6_TRANSPARENT.
constexpr int kFreeBindV6 = 78;      // IPV6_FREEBIND.
constexpr int kMulticastAllV6 = 29;  // IPV6_MULTICAST_ALL.

struct Shape {
  IpOption option;
  int level;
  int name;
  int32_t initial;
  int32_t minimum;
  int32_t maximum;
};

constexpr int32_t kBoolean = INT32_MIN;  // As a minimum: anything that is not 0 is 1.

constexpr Shape kShapes[] = {
    {IpOption::kTos, SOL_IP, IP_TOS, 0, 0, 255},
    {IpOption::kTtl, SOL_IP, IP_TTL, 64, 1, 255},
    {IpOption::kMtuDiscover, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT, 0, IP_PMTUDISC_OMIT},
    {IpOption::kReceiveError, SOL_IP, IP_RECVERR, 0, kBoolean, 1},
    {IpOption::kPacketInfo, SOL_IP, IP_PKTINFO, 0, kBoolean, 1},
    {IpOption::kReceiveTtl, SOL_IP, IP_RECVTTL, 0, kBoolean, 1},
    {IpOption::kReceiveTos, SOL_IP, IP_RECVTOS, 0, kBoolean, 1},
    {IpOption::kReceiveOptions, SOL_IP, IP_RECVOPTS, 0, kBoolean, 1},
    {IpOption::kReturnOptions, SOL_IP, IP_RETOPTS, 0, kBoolean, 1},
    {IpOption::kReceiveOriginalAddress, SOL_IP, IP_RECVORIGDSTADDR, 0, kBoolean, 1},
    {IpOption::kFreeBind, SOL_IP, IP_FREEBIND, 0, kBoolean, 1},
    {IpOption::kTransparent, SOL_IP, IP_TRANSPARENT, 0, kBoolean, 1},
    {IpOption::kBindAddressNoPort, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 0, kBoolean, 1},
    {IpOption::kMulticastTtl, SOL_IP, IP_MULTICAST_TTL, 1, 0, 255},
    {IpOption::kMulticastLoop, SOL_IP, IP_MULTICAST_LOOP, 1, kBoolean, 1},
    {IpOption::kMulticastAll, SOL_IP, IP_MULTICAST_ALL, 1, 0, 1},
    {IpOption::kMinimumTtl, SOL_IP, IP_MINTTL, 0, 0, 255},
    {IpOption::kNoDefragment, SOL_IP, IP_NODEFRAG, 0, kBoolean, 1},
    {IpOption::kChecksum, SOL_IP, IP_CHECKSUM, 0, kBoolean, 1},
    {IpOption::kReceiveErrorRfc4884, SOL_IP, 26, 0, 0, 1},
    {IpOption::kPassSecurity, SOL_IP, IP_PASSSEC, 0, kBoolean, 1},
    {IpOption::k6UnicastHops, SOL_IPV6, IPV6_UNICAST_HOPS, 64, -1, 255},
    {IpOption::k6MulticastHops, SOL_IPV6, IPV6_MULTICAST_HOPS, 1, -1, 255},
    {IpOption::k6MulticastLoop, SOL_IPV6, IPV6_MULTICAST_LOOP, 1, 0, 1},
    {IpOption::k6MulticastAll, SOL_IPV6, kMulticastAllV6, 1, kBoolean, 1},
    {IpOption::k6MtuDiscover, SOL_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_WANT, 0, IP_PMTUDISC_OMIT},
    {IpOption::k6ReceiveError, SOL_IPV6, IPV6_RECVERR, 0, kBoolean, 1},
    {IpOption::k6ReceivePacketInfo, SOL_IPV6, IPV6_RECVPKTINFO, 0, kBoolean, 1},
    {IpOption::k6ReceiveHopLimit, SOL_IPV6, IPV6_RECVHOPLIMIT, 0, kBoolean, 1},
    {IpOption::k6ReceiveTrafficClass, SOL_IPV6, IPV6_RECVTCLASS, 0, kBoolean, 1},
    {IpOption::k6TrafficClass, SOL_IPV6, IPV6_TCLASS, 0, -1, 255},
    {IpOption::k6ReceiveOriginalAddress, SOL_IPV6, IPV6_RECVORIGDSTADDR, 0, kBoolean, 1},
    {IpOption::k6ReceivePathMtu, SOL_IPV6, IPV6_RECVPATHMTU, 0, kBoolean, 1},
    {IpOption::k6ReceiveRoutingHeader, SOL_IPV6, IPV6_RECVRTHDR, 0, kBoolean, 1},
    {IpOption::k6ReceiveHopOptions, SOL_IPV6, IPV6_RECVHOPOPTS, 0, kBoolean, 1},
    {IpOption::k6ReceiveDestinationOptions, SOL_IPV6, IPV6_RECVDSTOPTS, 0, kBoolean, 1},
    {IpOption::k6FlowInfo, SOL_IPV6, IPV6_FLOWINFO, 0, kBoolean, 1},
    {IpOption::k6FlowInfoSend, SOL_IPV6, IPV6_FLOWINFO_SEND, 0, kBoolean, 1},
    {IpOption::k6AutoFlowLabel, SOL_IPV6, IPV6_AUTOFLOWLABEL, 1, kBoolean, 1},
    {IpOption::k6DontFragment, SOL_IPV6, IPV6_DONTFRAG, 0, kBoolean, 1},
    {IpOption::k6AddressPreferences, SOL_IPV6, IPV6_ADDR_PREFERENCES,
     IPV6_PREFER_SRC_PUBTMP_DEFAULT, 0, 0xffff},
    {IpOption::k6FreeBind, SOL_IPV6, kFreeBindV6, 0, kBoolean, 1},
    {IpOption::k6Transparent, SOL_IPV6, kTransparentV6, 0, kBoolean, 1},
    {IpOption::k6MinimumHops, SOL_IPV6, IPV6_MINHOPCOUNT, 0, 0, 255},
};

const Shape* Find(int level, int name) {
  for (const Shape& shape : kShapes) {
    if (shape.level == level && shape.name == name) return &shape;
  }
  return nullptr;
}

// do_ip_setsockopt() takes a byte where it gets no int; do_ipv6_setsockopt() does not.
Result<int32_t> ReadValue(int level, std::span<const std::byte> value) {
  int32_t number = 0;
  if (value.size() >= sizeof(number)) {
    std::memcpy(&number, value.data(), sizeof(number));
    return number;
  }
  if (level == SOL_IPV6 || value.empty()) return Errno(EINVAL);
  return static_cast<int32_t>(value[0]);
}

// What -1 asks for: the default.
int32_t Normal(const Shape& shape, int32_t value) {
  if (value != -1) return value;
  if (shape.option == IpOption::kMulticastTtl || shape.option == IpOption::kTtl ||
      shape.option == IpOption::k6UnicastHops || shape.option == IpOption::k6MulticastHops ||
      shape.option == IpOption::k6TrafficClass) {
    return shape.initial;
  }
  return value;
}

}  // namespace

IpOptions::IpOptions() {
  for (const Shape& shape : kShapes) values_[static_cast<size_t>(shape.option)] = shape.initial;
}

IpOptions& IpOptions::operator=(const IpOptions& other) {
  for (size_t i = 0; i < values_.size(); ++i) {
    values_[i].store(other.values_[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  return *this;
}

const IpOptions& IpOptions::Defaults() {
  static const auto* defaults = new IpOptions;
  return *defaults;
}

bool IpOptions::Knows(int level, int name) { return Find(level, name) != nullptr; }

Result<void> IpOptions::Set(int level, int name, std::span<const std::byte> value) {
  const Shape* shape = Find(level, name);
  if (shape == nullptr) return Errno(ENOPROTOOPT);
  int32_t number = TRY(ReadValue(level, value));
  if (shape->minimum == kBoolean) {
    number = number != 0;
  } else {
    number = Normal(*shape, number);
    // ip(7): the type of service keeps what fits, and TCP's two bits are its own.
    if (shape->option == IpOption::kTos) number &= 255;
    if (number < shape->minimum || number > shape->maximum) return Errno(EINVAL);
  }
  values_[static_cast<size_t>(shape->option)].store(number, std::memory_order_relaxed);
  return {};
}

Result<std::vector<std::byte>> IpOptions::Show(int level, int name, size_t length) const {
  const Shape* shape = Find(level, name);
  if (shape == nullptr) return Errno(ENOPROTOOPT);
  const int32_t number = Get(shape->option);
  const bool byte =
      level == SOL_IP && length > 0 && length < sizeof(number) && number >= 0 && number <= 255;
  const auto bytes = std::as_bytes(std::span(&number, 1)).first(byte ? 1 : sizeof(number));
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

}  // namespace redoubt::inet
