// SPDX-License-Identifier: Apache-2.0
//
// Where a stub keeps what is not the guest's. Shared by the shim and the sentry, hence constants.
//
//   0x20000 ...                the shim: text, constants, a few private words
//   kPatchTable ...            where patched call sites jump through (patches.h)
//   kTrampolines ...           where they jump to
//   0x400000 ...               guest memory
//   kSlots ...                 one slot per guest thread, shared with the sentry (protocol.h)
//   kStacks ...                one private signal stack per guest thread
//
// The two high regions are mapped whole by the zygote before any guest code runs, so a new thread
// needs no mapping of its own, and no guest mapping can come to lie there by chance. They lie 1 TiB
// below the place where the host puts a program's stack and the vDSO.
#ifndef PLATFORM_SECCOMP_TRAP_LAYOUT_H_
#define PLATFORM_SECCOMP_TRAP_LAYOUT_H_

#include <cstddef>
#include <cstdint>

namespace redoubt::platform::seccomp_trap {

inline constexpr uint64_t kPageSize = 4096;

// Linked here (BUILD.bazel): above mmap_min_addr, low enough for short absolute jumps.
inline constexpr uint64_t kShimStart = 0x10000;
inline constexpr uint64_t kShimEnd = 0x400000;

// A patched site is `jmp *entry` with entry's address in its last four bytes: 0x0006xxxx makes a
// jump to the old `syscall`, in the middle, meet 0x06: an undefined instruction, which the shim
// knows.
inline constexpr uint32_t kMaxPatches = 4096;
inline constexpr uint64_t kPatchTable = 0x60000;
inline constexpr uint64_t kPatchTableSize = kMaxPatches * 8;
inline constexpr uint64_t kTrampolineSize = 64;
inline constexpr uint64_t kTrampolines = 0x80000;
inline constexpr uint64_t kTrampolinesSize = kMaxPatches * kTrampolineSize;

inline constexpr uint32_t kMaxThreads = 4096;  // Of one guest process.
inline constexpr uint64_t kSlotSize = 256 * 1024;
inline constexpr uint64_t kSlots = 0x7e0000000000;
inline constexpr uint64_t kSlotsSize = kMaxThreads * kSlotSize;
// Room for two nested signal frames with AVX-512 state and the shim's own calls.
inline constexpr uint64_t kStackSize = 16 * 1024;
inline constexpr uint64_t kStacks = kSlots + kSlotsSize;
inline constexpr uint64_t kStacksSize = kMaxThreads * kStackSize;
inline constexpr uint64_t kHighEnd = kStacks + kStacksSize;

inline constexpr uint64_t kGuestStart = kShimEnd;
inline constexpr uint64_t kGuestEnd = 0x7ffffffff000;

// The only descriptor a stub ever has, and only for the time of one mmap.
inline constexpr int kStubFd = 3;

// How much of [address, address + size) lies in guest memory, from its start.
constexpr uint64_t GuestPart(uint64_t address, uint64_t size) {
  if (address < kGuestStart || address >= kGuestEnd) return 0;
  if (address >= kSlots && address < kHighEnd) return 0;
  uint64_t end = address < kSlots ? kSlots : kGuestEnd;
  return size < end - address ? size : end - address;
}

inline constexpr uint64_t SlotAddress(uint32_t index) { return kSlots + index * kSlotSize; }
inline constexpr uint64_t StackAddress(uint32_t index) { return kStacks + index * kStackSize; }

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_LAYOUT_H_
