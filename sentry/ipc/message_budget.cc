// SPDX-License-Identifier: Apache-2.0
#include "sentry/ipc/message_budget.h"

#include <atomic>

namespace redoubt::ipc {

namespace {

constexpr uint64_t kMost = uint64_t{256} << 20;
constexpr uint64_t kPerMessage = 64;  // A message's bookkeeping.
std::atomic<uint64_t> g_used{0};

}  // namespace

Result<void> ChargeMessage(size_t size) {
  const uint64_t charge = size + kPerMessage;
  if (g_used.fetch_add(charge, std::memory_order_relaxed) + charge <= kMost) return {};
  g_used.fetch_sub(charge, std::memory_order_relaxed);
  return Errno(ENOMEM);
}

void ReleaseMessages(uint64_t count, uint64_t bytes) {
  g_used.fetch_sub(bytes + count * kPerMessage, std::memory_order_relaxed);
}

}  // namespace redoubt::ipc
