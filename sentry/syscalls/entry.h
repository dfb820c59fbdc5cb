// SPDX-License-Identifier: Apache-2.0
//
// SyscallEntry: one line of the system-call table, with its honesty.
//
//   Full<SysRead>(0, "read"),
//   Partial<SysMadvise>(28, "madvise", "MADV_DONTNEED and MADV_DONTFORK act; ..."),
//   Missing<ENOSYS>(425, "io_uring_setup", "Programs fall back to epoll."),
//
// docs/compatibility.md is generated from these lines; a note is a sentence for its readers.
#ifndef SENTRY_SYSCALLS_ENTRY_H_
#define SENTRY_SYSCALLS_ENTRY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sentry/syscalls/adapter.h"

namespace redoubt::syscalls {

enum class Support : uint8_t { kFull, kPartial, kMissing };

using SyscallHandler = SyscallResult (*)(Task&, const SyscallArguments&);

struct SyscallEntry {
  uint16_t number = 0;
  const char* name = "";
  SyscallHandler handler = nullptr;
  Support support = Support::kMissing;
  const char* note = "";
  uint8_t argument_count = 0;  // Unknown (0) for missing calls.
  std::array<ArgumentShape, 6> shapes{};
};

// Everything that Linux documents works, or fails as it may fail there.
template <auto kHandler>
constexpr SyscallEntry Full(uint16_t number, const char* name, const char* note = "") {
  return {.number = number,
          .name = name,
          .handler = &Adapter<kHandler>::Call,
          .support = Support::kFull,
          .note = note,
          .argument_count = Adapter<kHandler>::kArgumentCount,
          .shapes = Adapter<kHandler>::Shapes()};
}

// Works, except for what the note says.
template <auto kHandler>
constexpr SyscallEntry Partial(uint16_t number, const char* name, const char* note) {
  SyscallEntry entry = Full<kHandler>(number, name, note);
  entry.support = Support::kPartial;
  return entry;
}

namespace internal {
template <int kErrno>
SyscallResult FailWith(Task&, const SyscallArguments&) {
  return Errno(kErrno);
}
}  // namespace internal

// Always fails: ENOSYS as a kernel built without it, or what an unprivileged caller gets.
template <int kErrno>
constexpr SyscallEntry Missing(uint16_t number, const char* name, const char* note) {
  return {.number = number, .name = name, .handler = &internal::FailWith<kErrno>, .note = note};
}

constexpr bool StrictlyIncreasing(std::span<const SyscallEntry> table) {
  for (size_t i = 1; i < table.size(); ++i) {
    if (table[i - 1].number >= table[i].number) return false;
  }
  return true;
}

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_ENTRY_H_
