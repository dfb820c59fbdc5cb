// SPDX-License-Identifier: Apache-2.0
//
// The sentry's view of a guest process's slots: one memory file, mapped in the stub at kSlots and
// here. Everything in it is guest-writable; nothing here is read twice.
#ifndef PLATFORM_SECCOMP_TRAP_SLOTS_H_
#define PLATFORM_SECCOMP_TRAP_SLOTS_H_

#include <cstddef>
#include <utility>

#include "base/owned_fd.h"
#include "base/result.h"
#include "platform/seccomp_trap/protocol.h"

namespace redoubt::platform::seccomp_trap {

class Slots {
 public:
  static Result<Slots> Create();
  Slots() = default;
  Slots(Slots&& other) noexcept
      : file_(std::move(other.file_)), memory_(std::exchange(other.memory_, nullptr)) {}
  Slots& operator=(Slots&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Slots();

  Slot& at(uint32_t index) const { return *reinterpret_cast<Slot*>(memory_ + index * kSlotSize); }
  std::byte* window(uint32_t index) const { return memory_ + index * kSlotSize + kWindowOffset; }
  // For the stub that is to map it; dropped when it has.
  int file() const { return file_.get(); }
  void CloseFile() { file_.Reset(); }

 private:
  OwnedFd file_;
  std::byte* memory_ = nullptr;
};

// The turn of a slot, as the sentry takes and gives it.
enum class TurnOutcome { kTaken, kGone, kTimedOut };
inline constexpr int kNoTimeout = -1;
// Waits until the stub gives the turn, or has gone.
TurnOutcome AwaitTurn(Slot& slot, int timeout_milliseconds);
// Looks for the turn for so many cycles; false when the stub has not given it by then.
bool SpinForTurn(const Slot& slot, uint64_t cycles);
void GiveTurn(Slot& slot);
// After the host ended the stub: makes every AwaitTurn of this slot end.
void MarkGone(Slot& slot);

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_SLOTS_H_
