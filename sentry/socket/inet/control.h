// SPDX-License-Identifier: Apache-2.0
//
// Control messages of internet sockets, as bytes ready for the guest.
#ifndef SENTRY_SOCKET_INET_CONTROL_H_
#define SENTRY_SOCKET_INET_CONTROL_H_

#include <cstddef>
#include <cstring>
#include <functional>
#include <span>
#include <vector>

#include "abi/linux/socket.h"
#include "base/result.h"

namespace redoubt::inet {

inline void PutControl(std::vector<std::byte>& out, int level, int type,
                       std::span<const std::byte> data) {
  const abi::ControlMessageHeader header{
      .length = sizeof(header) + data.size(), .level = level, .type = type};
  const auto bytes = std::as_bytes(std::span(&header, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.insert(out.end(), data.begin(), data.end());
  out.resize((out.size() + 7) & ~size_t{7});
}

template <typename T>
void PutControlValue(std::vector<std::byte>& out, int level, int type, const T& value) {
  PutControl(out, level, type, std::as_bytes(std::span(&value, 1)));
}

// Calls `take(level, type, data)` for each message in `bytes`, as PutControl lays them out. Their
// lengths were validated when they were copied from the guest; a broken one ends the walk.
template <typename Take>
Result<void> ForEachControl(std::span<const std::byte> bytes, Take take) {
  while (bytes.size() >= sizeof(abi::ControlMessageHeader)) {
    abi::ControlMessageHeader header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.length < sizeof(header) || header.length > bytes.size()) return Errno(EINVAL);
    TRY(take(header.level, header.type,
             bytes.subspan(sizeof(header), header.length - sizeof(header))));
    bytes = bytes.subspan(std::min<size_t>((header.length + 7) & ~size_t{7}, bytes.size()));
  }
  return {};
}

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_CONTROL_H_
