// SPDX-License-Identifier: Apache-2.0
//
// IpAddress: an IPv4 or IPv6 address, its bytes in network order. A value; compares and hashes.
//
//   IpAddress a = IpAddress::V4(127, 0, 0, 1);
//   IpAddress b = *IpAddress::FromBytes(bytes);           // 4 or 16 of them.
//   if (a.IsInPrefix(network, 8)) ...
//
// A v4-mapped address (::ffff:1.2.3.4) is a v6 address; Unmapped() gives the v4 one inside.
#ifndef SENTRY_SOCKET_NET_IP_ADDRESS_H_
#define SENTRY_SOCKET_NET_IP_ADDRESS_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace redoubt::net {

class IpAddress {
 public:
  // 0.0.0.0.
  constexpr IpAddress() = default;
  static constexpr IpAddress V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    IpAddress result;
    result.bytes_ = {a, b, c, d};
    return result;
  }
  // `address` in host order.
  static constexpr IpAddress V4(uint32_t address) {
    return V4(address >> 24, address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff);
  }
  static constexpr IpAddress V6(const std::array<uint8_t, 16>& bytes) {
    IpAddress result;
    result.bytes_ = bytes;
    result.is_v6_ = true;
    return result;
  }
  // From 4 or 16 bytes; nothing for another number.
  static std::optional<IpAddress> FromBytes(std::span<const std::byte> bytes);
  // 0.0.0.0 or ::, 127.0.0.1 or ::1. `family`: AF_INET or AF_INET6.
  static IpAddress Any(int family);
  static IpAddress Loopback(int family);

  bool is_v4() const { return !is_v6_; }
  bool is_v6() const { return is_v6_; }
  int family() const;                              // AF_INET, AF_INET6.
  size_t size() const { return is_v6_ ? 16 : 4; }  // In bytes.
  int bits() const { return is_v6_ ? 128 : 32; }
  std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span(bytes_).first(size()));
  }
  uint32_t v4_host_order() const {
    return uint32_t{bytes_[0]} << 24 | uint32_t{bytes_[1]} << 16 | uint32_t{bytes_[2]} << 8 |
           bytes_[3];
  }

  bool IsUnspecified() const;
  bool IsLoopback() const;   // 127.0.0.0/8, ::1.
  bool IsMulticast() const;  // 224.0.0.0/4, ff00::/8.
  bool IsLinkLocal() const;  // 169.254.0.0/16, fe80::/10.
  bool IsLimitedBroadcast() const { return !is_v6_ && v4_host_order() == 0xffffffff; }
  bool IsV4Mapped() const;
  // The v4 address inside a mapped one; else the same.
  IpAddress Unmapped() const;
  // ::ffff:a.b.c.d of a v4 address; else the same.
  IpAddress Mapped() const;

  // Whether the first `length` bits are those of `network`. False across families.
  bool IsInPrefix(const IpAddress& network, int length) const;
  // With all bits behind the first `length` cleared, or (Broadcast) set.
  IpAddress Network(int length) const;
  IpAddress Broadcast(int length) const;

  std::string ToString() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& address) {
    return H::combine(std::move(h), address.is_v6_, address.bytes_);
  }

 private:
  bool is_v6_ = false;
  std::array<uint8_t, 16> bytes_{};
};

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_IP_ADDRESS_H_
