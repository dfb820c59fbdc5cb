// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/current_call.h"

#include <atomic>

namespace redoubt::vfs {

namespace {

// Each thread numbers its calls in a range of its own: 2^40 calls last for days of nothing else,
// and the ranges never meet before 2^24 threads were made.
constexpr int kCallBits = 40;

struct Calls {
  uint64_t last = 0;  // 0: no call yet.
  bool serving = false;
};
thread_local constinit Calls calls;

uint64_t FirstCall() {
  static std::atomic<uint64_t> threads{0};
  return (threads.fetch_add(1, std::memory_order_relaxed) << kCallBits) + 1;
}

}  // namespace

uint64_t CurrentCall() { return calls.serving ? calls.last : 0; }

void BeginCall() {
  calls.last = calls.last == 0 ? FirstCall() : calls.last + 1;
  calls.serving = true;
}

void EndCall() { calls.serving = false; }

}  // namespace redoubt::vfs
