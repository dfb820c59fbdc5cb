// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/net/ip_address.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace redoubt::net {

namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// The bits of byte `index` that belong to a prefix of `length`.
uint8_t MaskOf(int index, int length) {
  int left = std::clamp(length - index * 8, 0, 8);
  return static_cast<uint8_t>(0xff << (8 - left));
}

}  // namespace

std::optional<IpAddress> IpAddress::FromBytes(std::span<const std::byte> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress result;
  result.is_v6_ = bytes.size() == 16;
  std::memcpy(result.bytes_.data(), bytes.data(), bytes.size());
  return result;
}

IpAddress IpAddress::Any(int family) { return family == AF_INET6 ? V6({}) : IpAddress(); }

IpAddress IpAddress::Loopback(int family) {
  if (family != AF_INET6) return V4(127, 0, 0, 1);
  std::array<uint8_t, 16> bytes{};
  bytes[15] = 1;
  return V6(bytes);
}

int IpAddress::family() const { return is_v6_ ? AF_INET6 : AF_INET; }

bool IpAddress::IsUnspecified() const { return *this == Any(family()); }

bool IpAddress::IsLoopback() const {
  return is_v6_ ? *this == Loopback(AF_INET6) : bytes_[0] == 127;
}

bool IpAddress::IsMulticast() const {
  return is_v6_ ? bytes_[0] == 0xff : (bytes_[0] & 0xf0) == 0xe0;
}

bool IpAddress::IsLinkLocal() const {
  if (is_v6_) return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
  return bytes_[0] == 169 && bytes_[1] == 254;
}

bool IpAddress::IsV4Mapped() const {
  return is_v6_ && std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin());
}

IpAddress IpAddress::Unmapped() const {
  if (!IsV4Mapped()) return *this;
  return V4(bytes_[12], bytes_[13], bytes_[14], bytes_[15]);
}

IpAddress IpAddress::Mapped() const {
  if (is_v6_) return *this;
  std::array<uint8_t, 16> bytes{};
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
  std::copy_n(bytes_.begin(), 4, bytes.begin() + 12);
  return V6(bytes);
}

bool IpAddress::IsInPrefix(const IpAddress& network, int length) const {
  return is_v6_ == network.is_v6_ && Network(length) == network.Network(length);
}

IpAddress IpAddress::Network(int length) const {
  IpAddress result = *this;
  for (size_t i = 0; i < size(); ++i) result.bytes_[i] &= MaskOf(static_cast<int>(i), length);
  return result;
}

IpAddress IpAddress::Broadcast(int length) const {
  IpAddress result = *this;
  for (size_t i = 0; i < size(); ++i) {
    result.bytes_[i] |= static_cast<uint8_t>(~MaskOf(static_cast<int>(i), length));
  }
  return result;
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(family(), bytes_.data(), text, sizeof(text));
  return text;
}

}  // namespace redoubt::net
