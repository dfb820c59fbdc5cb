// SPDX-License-Identifier: Apache-2.0
//
// Parker: one thread sleeps, any other wakes it. A binary token on one futex word: Unpark() before
// Park() is not lost, and waking a thread that does not sleep costs no host call.
#ifndef BASE_SYNC_PARKER_H_
#define BASE_SYNC_PARKER_H_

#include <atomic>
#include <cstdint>
#include <optional>

namespace redoubt {

class Parker {
 public:
  // Takes the token, sleeping for it if need be. False when the deadline (CLOCK_MONOTONIC,
  // nanoseconds) came first. May wake spuriously with true.
  bool Park(std::optional<int64_t> deadline_ns);
  void Unpark();

 private:
  enum : uint32_t { kEmpty = 0, kToken = 1, kSleeping = 2 };
  std::atomic<uint32_t> word_{kEmpty};
};

}  // namespace redoubt

#endif  // BASE_SYNC_PARKER_H_
