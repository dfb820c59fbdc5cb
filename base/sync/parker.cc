// SPDX-License-Identifier: Apache-2.0
#include "base/sync/parker.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/host/syscall.h"

namespace redoubt {

bool Parker::Park(std::optional<int64_t> deadline_ns) {
  uint32_t expected = kToken;
  if (word_.compare_exchange_strong(expected, kEmpty, std::memory_order_acquire)) return true;
  expected = kEmpty;
  if (!word_.compare_exchange_strong(expected, kSleeping, std::memory_order_acquire)) {
    word_.store(kEmpty, std::memory_order_relaxed);  // The token came in between.
    return true;
  }
  timespec deadline{};
  if (deadline_ns.has_value()) {
    deadline = {*deadline_ns / 1'000'000'000, *deadline_ns % 1'000'000'000};
  }
  auto result = host::CallOnce([&] {
    // WAIT_BITSET takes an absolute time on CLOCK_MONOTONIC.
    return syscall(SYS_futex, &word_, FUTEX_WAIT_BITSET_PRIVATE, kSleeping,
                   deadline_ns.has_value() ? &deadline : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
  });
  bool got_token = word_.exchange(kEmpty, std::memory_order_acquire) == kToken;
  return got_token || !result.Is(ETIMEDOUT);
}

void Parker::Unpark() {
  if (word_.exchange(kToken, std::memory_order_release) != kSleeping) return;
  syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace redoubt
