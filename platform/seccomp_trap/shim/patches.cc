// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// Patched call sites: `mov $number, %eax; syscall` becomes `jmp *entry`, both seven bytes. Each has
// an entry in the table and a trampoline:
//
//   0   mov $number, %eax; movabs $after, %rcx; jmp ShimPatchedCall
//   24  mov $number, %eax; syscall            the slow way, for guests with a %gs of their own
//   48  after, number                         for the handlers
//
// Other threads may run through a site while it is written. They see whole old code, whole new
// code, or 0x06, which is undefined, at the site or where `syscall` was: the handler does the call
// then.
#include <signal.h>

#include "platform/seccomp_trap/shim/shim.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr uint64_t kSiteSize = 7, kSyscallOffset = 5;
constexpr uint8_t kUndefined = 0x06;

struct [[gnu::packed]] Trampoline {
  uint8_t mov_eax = 0xb8;
  uint32_t number;
  uint16_t mov_rcx = 0xb948;
  uint64_t after;
  uint8_t jmp = 0xe9;
  int32_t distance;
  uint8_t padding[4] = {};
  uint8_t slow_mov_eax = 0xb8;  // At kSlowOffset.
  uint32_t slow_number;
  uint16_t syscall = 0x050f;
  uint8_t rest[kTrampolineSize - 31] = {};
};
static_assert(sizeof(Trampoline) == kTrampolineSize);
constexpr uint64_t kSlowOffset = 24;
constexpr uint64_t kDistanceBase = 20;  // Jumps count from the next instruction.
static_assert(offsetof(Trampoline, slow_mov_eax) == kSlowOffset);

struct [[gnu::packed]] Jump {
  uint8_t code[3] = {0xff, 0x24, 0x25};  // jmp *address
  uint32_t entry;
};
static_assert(sizeof(Jump) == kSiteSize);

// Entry 0 is the count, entry 1 whether calls are to be slow.
uint64_t* Table() { return reinterpret_cast<uint64_t*>(kPatchTable); }
constexpr uint64_t kFirst = 2;
uint64_t End() {
  uint64_t end = kFirst + __atomic_load_n(&Table()[0], __ATOMIC_ACQUIRE);
  return end < kMaxPatches ? end : kMaxPatches;
}
Trampoline* TrampolineAt(uint64_t index) {
  return reinterpret_cast<Trampoline*>(kTrampolines + index * kTrampolineSize);
}

void WriteTrampoline(uint64_t index, uint64_t after, uint32_t number) {
  Trampoline code{};
  code.number = code.slow_number = number;
  code.after = after;
  uint64_t address = reinterpret_cast<uint64_t>(TrampolineAt(index));
  code.distance =
      static_cast<int32_t>(reinterpret_cast<uint64_t>(ShimPatchedCall) - (address + kDistanceBase));
  Copy(reinterpret_cast<char*>(address), reinterpret_cast<char*>(&code), sizeof(code));
}

void WriteSite(uint64_t site, uint64_t index) {
  Jump jump;
  jump.entry = static_cast<uint32_t>(kPatchTable + index * sizeof(uint64_t));
  auto* bytes = reinterpret_cast<volatile uint8_t*>(site);
  auto* code = reinterpret_cast<const uint8_t*>(&jump);
  bytes[0] = kUndefined;
  for (uint64_t i = kSiteSize - 1; i > 0; --i) bytes[i] = code[i];
  bytes[0] = code[0];
}

}  // namespace

int64_t PatchSite(uint64_t end, uint32_t number) {
  uint64_t index = kFirst + __atomic_fetch_add(&Table()[0], 1, __ATOMIC_ACQ_REL);
  if (index >= kMaxPatches) return -1;
  WriteTrampoline(index, end, number);
  bool slow = __atomic_load_n(&Table()[1], __ATOMIC_ACQUIRE) != 0;
  __atomic_store_n(&Table()[index],
                   reinterpret_cast<uint64_t>(TrampolineAt(index)) + (slow ? kSlowOffset : 0),
                   __ATOMIC_RELEASE);
  WriteSite(end - kSiteSize, index);
  return 0;
}

void StopPatchedCalls() {
  if (__atomic_exchange_n(&Table()[1], 1, __ATOMIC_ACQ_REL) != 0) return;
  for (uint64_t i = kFirst, end = End(); i < end; ++i) {
    __atomic_store_n(&Table()[i], reinterpret_cast<uint64_t>(TrampolineAt(i)) + kSlowOffset,
                     __ATOMIC_RELEASE);
  }
}

bool WasPatchedCall(int signal, greg_t* g, uint64_t* number) {
  auto rip = static_cast<uint64_t>(g[REG_RIP]);
  const Trampoline* found = nullptr;
  if (signal == SIGSYS && InTrampolines(rip)) {
    found = TrampolineAt((rip - kTrampolines) / kTrampolineSize);
  } else if (signal == SIGILL) {
    for (uint64_t i = kFirst, end = End(); i < end && found == nullptr; ++i) {
      uint64_t site = TrampolineAt(i)->after - kSiteSize;
      if (rip == site || rip == site + kSyscallOffset) found = TrampolineAt(i);
    }
  }
  if (found == nullptr) return false;
  // A jump to the old `syscall` brought a number of its own.
  bool middle = signal == SIGILL && rip != found->after - kSiteSize;
  *number = middle ? static_cast<uint64_t>(g[REG_RAX]) : found->number;
  g[REG_RIP] = g[REG_RCX] = static_cast<greg_t>(found->after);
  g[REG_R11] = g[REG_EFL];
  return true;
}

}  // namespace redoubt::platform::seccomp_trap
