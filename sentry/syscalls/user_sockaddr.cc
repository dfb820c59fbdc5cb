// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/user_sockaddr.h"

#include <algorithm>
#include <array>

namespace redoubt::syscalls {

using sockets::SocketAddress;

Result<SocketAddress> ReadSocketAddress(kernel::Task& task, uint64_t address, int32_t length) {
  if (length < 0 || static_cast<size_t>(length) > abi::kMaximumAddressLength) return Errno(EINVAL);
  std::array<std::byte, abi::kMaximumAddressLength> buffer;
  auto bytes = std::span(buffer).first(static_cast<size_t>(length));
  TRY(task.CopyIn(address, bytes));
  return SocketAddress::From(bytes);
}

Result<void> WriteSocketAddress(kernel::Task& task, const SocketAddress& address, uint64_t user,
                                int32_t capacity) {
  if (capacity < 0) return Errno(EINVAL);
  size_t fits = std::min(address.length(), static_cast<size_t>(capacity));
  return task.CopyOut(user, address.bytes().first(fits));
}

Result<void> WriteSocketAddressAndLength(kernel::Task& task, const SocketAddress& address,
                                         uint64_t user, uint64_t user_length) {
  if (user == 0) return {};
  int32_t capacity = TRY(task.CopyIn<int32_t>(user_length));
  TRY(WriteSocketAddress(task, address, user, capacity));
  return task.CopyOut(user_length, static_cast<int32_t>(address.length()));
}

}  // namespace redoubt::syscalls
