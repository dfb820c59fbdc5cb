// SPDX-License-Identifier: Apache-2.0
//
// CHECK(condition): ends the process with one line on stderr when an invariant of our own code does
// not hold. Never for anything that a guest, a bundle or a peer can cause. The failure path is
// async-signal-safe: it formats into a stack buffer and writes once.
#ifndef BASE_CHECK_H_
#define BASE_CHECK_H_

namespace redoubt::internal {
[[noreturn, gnu::cold]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace redoubt::internal

#define CHECK(condition)                                                \
  do {                                                                  \
    if (!(condition)) [[unlikely]]                                      \
      ::redoubt::internal::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

#define UNREACHABLE() ::redoubt::internal::CheckFailed(__FILE__, __LINE__, "unreachable")

#endif  // BASE_CHECK_H_
