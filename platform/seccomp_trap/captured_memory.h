// SPDX-License-Identifier: Apache-2.0
//
// What the shim has fetched with the call being served, and what is to be written when the guest
// goes on. Both are in the slot, which the guest can change at any time: addresses and sizes are
// copied once and checked; the bytes are as good as guest memory itself.
#ifndef PLATFORM_SECCOMP_TRAP_CAPTURED_MEMORY_H_
#define PLATFORM_SECCOMP_TRAP_CAPTURED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "platform/seccomp_trap/protocol.h"

namespace redoubt::platform::seccomp_trap {

class CapturedMemory {
 public:
  // A call was reported in `slot`.
  void Take(const Slot& slot, std::byte* window);
  // Nothing is captured. What was to be written must have been.
  void Clear() { count_ = writes_ = 0; }

  // The bytes at `address` as the call came with them, fewer at the end of a string. nullopt: not
  // captured.
  std::optional<size_t> Read(uint64_t address, std::span<std::byte> buffer) const;
  // False: not known to be writable, or no room.
  bool Write(Slot& slot, uint64_t address, std::span<const std::byte> data);

  // Where Write wants `size` bytes for `address` to be; empty when it would not take them.
  std::span<std::byte> Reserve(uint64_t address, size_t size);
  // Leaves the writes to the shim, which is about to run the guest.
  void Post(Slot& slot);
  // Does them now: copy(address, bytes) for each.
  template <typename F>
  void Flush(F copy) {
    for (uint32_t i = 0; i < writes_; ++i) {
      copy(pending_[i].address,
           std::span<const std::byte>(window_ + kResultsOffset + pending_[i].offset,
                                      pending_[i].size));
    }
    writes_ = 0;
  }

 private:
  bool MayWrite(uint64_t address, size_t size) const;

  std::byte* window_ = nullptr;
  uint32_t count_ = 0, writes_ = 0, results_ = 0;
  Capture::Span spans_[CallCapture::kMaxArguments];
  Capture::Write pending_[kMaxWrites];
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_CAPTURED_MEMORY_H_
