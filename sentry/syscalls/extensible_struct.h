// SPDX-License-Identifier: Apache-2.0
//
// Structures that grow with Linux: clone3, openat2, sched_setattr (Linux's copy_struct_from_user).
#ifndef SENTRY_SYSCALLS_EXTENSIBLE_STRUCT_H_
#define SENTRY_SYSCALLS_EXTENSIBLE_STRUCT_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// Copies a caller's structure of `size` bytes into ours. What a shorter one lacks is zero; what a
// longer one has beyond ours must be zero (E2BIG). The caller of this has bounded `size`.
template <AbiSafe T>
Result<T> CopyInExtensible(Task& task, uint64_t address, uint64_t size) {
  T value{};
  auto bytes = std::as_writable_bytes(std::span(&value, 1));
  TRY(task.CopyIn(address, bytes.first(std::min<uint64_t>(size, sizeof(T)))));
  for (uint64_t at = sizeof(T); at < size;) {
    std::array<std::byte, 256> rest;
    auto piece = std::span(rest).first(std::min<uint64_t>(rest.size(), size - at));
    TRY(task.CopyIn(address + at, piece));
    if (std::any_of(piece.begin(), piece.end(), [](std::byte b) { return b != std::byte{0}; })) {
      return Errno(E2BIG);
    }
    at += piece.size();
  }
  return value;
}

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_EXTENSIBLE_STRUCT_H_
