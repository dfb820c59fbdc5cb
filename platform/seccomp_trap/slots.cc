// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/slots.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <climits>

#include "base/host/syscall.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr int64_t kNanosecond = 1'000'000'000;

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosecond + now.tv_nsec;
}

// `deadline` in CLOCK_MONOTONIC nanoseconds, or negative for none.
void FutexWait(uint32_t* word, uint32_t value, int64_t deadline) {
  timespec until{deadline / kNanosecond, deadline % kNanosecond};
  syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, deadline < 0 ? nullptr : &until, nullptr,
          FUTEX_BITSET_MATCH_ANY);
}

void FutexWake(uint32_t* word, int count) { syscall(SYS_futex, word, FUTEX_WAKE, count); }

}  // namespace

Result<Slots> Slots::Create() {
  Slots slots;
  slots.file_.Reset(memfd_create("slots", MFD_CLOEXEC));
  if (!slots.file_) return Errno(errno);
  TRY(host::Call([&] { return ftruncate(slots.file(), kSlotsSize); }));
  void* memory = mmap(nullptr, kSlotsSize, PROT_READ | PROT_WRITE, MAP_SHARED, slots.file(), 0);
  if (memory == MAP_FAILED) return Errno(errno);
  slots.memory_ = static_cast<std::byte*>(memory);
  return slots;
}

Slots::~Slots() {
  if (memory_ != nullptr) munmap(memory_, kSlotsSize);
}

TurnOutcome AwaitTurn(Slot& slot, int timeout_milliseconds) {
  auto load = [&] { return __atomic_load_n(&slot.turn, __ATOMIC_SEQ_CST); };
  uint32_t turn = load();
  if (turn == kSentry) return TurnOutcome::kTaken;
  int64_t deadline = timeout_milliseconds < 0 ? -1 : Now() + timeout_milliseconds * 1'000'000LL;
  __atomic_store_n(&slot.sentry_sleeps, 1, __ATOMIC_SEQ_CST);
  TurnOutcome outcome = TurnOutcome::kTaken;
  while ((turn = load()) != kSentry) {
    if (turn == kGone) outcome = TurnOutcome::kGone;
    if (deadline >= 0 && Now() >= deadline) outcome = TurnOutcome::kTimedOut;
    if (outcome != TurnOutcome::kTaken) break;
    FutexWait(&slot.turn, turn, deadline);
  }
  __atomic_store_n(&slot.sentry_sleeps, 0, __ATOMIC_RELAXED);
  return outcome;
}

bool SpinForTurn(const Slot& slot, uint64_t cycles) {
  uint64_t start = __rdtsc();
  do {
    uint32_t turn = __atomic_load_n(&slot.turn, __ATOMIC_ACQUIRE);
    if (turn != kStub) return turn == kSentry;
    _mm_pause();
  } while (__rdtsc() - start < cycles);
  return false;
}

void GiveTurn(Slot& slot) {
  uint32_t expected = kSentry;
  // A guest can put anything here. Only kGone, which the host may have written, is kept.
  while (!__atomic_compare_exchange_n(&slot.turn, &expected, kStub, false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST)) {
    if (expected == kGone || expected == kStub) return;
  }
  if (__atomic_load_n(&slot.stub_sleeps, __ATOMIC_SEQ_CST) != 0) FutexWake(&slot.turn, 1);
}

void MarkGone(Slot& slot) {
  __atomic_store_n(&slot.turn, kGone, __ATOMIC_SEQ_CST);
  FutexWake(&slot.turn, INT_MAX);
}

}  // namespace redoubt::platform::seccomp_trap
