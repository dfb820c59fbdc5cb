// SPDX-License-Identifier: Apache-2.0
//
// SocketAddress: the bytes of a struct sockaddr as they came from, or go to, a guest. Copied once;
// each family checks the bytes it uses.
#ifndef SENTRY_SOCKET_ADDRESS_H_
#define SENTRY_SOCKET_ADDRESS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "abi/linux/socket.h"
#include "base/result.h"

namespace redoubt::sockets {

class SocketAddress {
 public:
  SocketAddress() = default;
  // EINVAL when it is longer than any address.
  static Result<SocketAddress> From(std::span<const std::byte> bytes) {
    if (bytes.size() > abi::kMaximumAddressLength) return Errno(EINVAL);
    SocketAddress address;
    std::memcpy(address.bytes_.data(), bytes.data(), bytes.size());
    address.length_ = bytes.size();
    return address;
  }

  // AF_UNSPEC when it is too short to say.
  uint16_t family() const {
    uint16_t family = 0;
    if (length_ >= sizeof(family)) std::memcpy(&family, bytes_.data(), sizeof(family));
    return family;
  }
  size_t length() const { return length_; }
  bool empty() const { return length_ == 0; }
  std::span<const std::byte> bytes() const { return {bytes_.data(), length_}; }

 private:
  std::array<std::byte, abi::kMaximumAddressLength> bytes_{};
  size_t length_ = 0;
};

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_ADDRESS_H_
