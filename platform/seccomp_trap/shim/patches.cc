// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// Patched call sites: the instruction before `syscall` moves to a trampoline, and a jump through
// the table takes its place (protocol.h, PatchSite, says which sites there are). A trampoline:
//
//   0    the moved instruction; unless it sets the number: futex goes the slow way, being native;
//        movabs $after, %r11; jmp ShimPatchedCall
//   32   the moved instruction; syscall; jmp *after      the slow way, for guests with their own
//   %gs 48   after, site                                     for the handlers
//
// Other threads may run through a site while it is written. They see whole old code, whole new
// code, or 0x06, which is undefined, at the site or where `syscall` was: the handler sends them the
// right way then.
#include <signal.h>
#include <sys/syscall.h>

#include "platform/seccomp_trap/shim/shim.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr uint8_t kUndefined = 0x06;
constexpr uint64_t kSlowOffset = 32, kAddressesOffset = 48;

struct [[gnu::packed]] Jump {
  uint8_t code[3] = {0xff, 0x24, 0x25};  // jmp *address
  uint32_t entry;
};
static_assert(sizeof(Jump) == kSiteJumpSize);

struct Addresses {
  uint64_t after, site;
};

// Writes machine code, byte by byte.
class Assembler {
 public:
  explicit Assembler(uint64_t address) : at_(reinterpret_cast<uint8_t*>(address)) {}
  void Bytes(uint64_t value, uint64_t count) {
    for (; count > 0; --count, value >>= 8) *at_++ = static_cast<uint8_t>(value);
  }
  // Distances count from the next instruction.
  void Distance32(uint64_t target) {
    Bytes(target - (reinterpret_cast<uint64_t>(at_) + sizeof(uint32_t)), sizeof(uint32_t));
  }
  void Distance8(uint64_t target) { Bytes(target - (reinterpret_cast<uint64_t>(at_) + 1), 1); }

 private:
  uint8_t* at_;
};

// Entry 0 is the count, entry 1 whether calls are to be slow.
uint64_t* Table() { return reinterpret_cast<uint64_t*>(kPatchTable); }
constexpr uint64_t kFirst = 2;
uint64_t End() {
  uint64_t end = kFirst + __atomic_load_n(&Table()[0], __ATOMIC_ACQUIRE);
  return end < kMaxPatches ? end : kMaxPatches;
}
uint64_t TrampolineAt(uint64_t index) { return kTrampolines + index * kTrampolineSize; }
const Addresses& AddressesOf(uint64_t trampoline) {
  return *reinterpret_cast<const Addresses*>(trampoline + kAddressesOffset);
}

void WriteTrampoline(uint64_t trampoline, const PatchSite& site) {
  Assembler fast(trampoline);
  fast.Bytes(site.moved_code, site.moved_size);
  if (site.any_number) {
    fast.Bytes(0x888d, 2);  // lea -SYS_futex(%rax), %ecx; jrcxz slow
    fast.Bytes(static_cast<uint32_t>(-SYS_futex), 4);
    fast.Bytes(0xe3, 1);
    fast.Distance8(trampoline + kSlowOffset);
  }
  fast.Bytes(0xbb49, 2);  // movabs $after, %r11
  fast.Bytes(site.after, 8);
  fast.Bytes(0xe9, 1);  // jmp ShimPatchedCall
  fast.Distance32(reinterpret_cast<uint64_t>(ShimPatchedCall));

  Assembler slow(trampoline + kSlowOffset);
  slow.Bytes(site.moved_code, site.moved_size);
  slow.Bytes(0x25ff050f, 4);  // syscall; jmp *after(%rip)
  slow.Distance32(trampoline + kAddressesOffset);
  *reinterpret_cast<Addresses*>(trampoline + kAddressesOffset) = {site.after, site.site};
}

void WriteJump(uint64_t address, uint64_t index) {
  Jump jump;
  jump.entry = static_cast<uint32_t>(kPatchTable + index * sizeof(uint64_t));
  auto* bytes = reinterpret_cast<volatile uint8_t*>(address);
  auto* code = reinterpret_cast<const uint8_t*>(&jump);
  bytes[0] = kUndefined;
  for (uint64_t i = sizeof(jump) - 1; i > 0; --i) bytes[i] = code[i];
  bytes[0] = code[0];
}

void WriteShortJump(uint64_t address, uint64_t target) {
  uint64_t distance = (target - (address + 2)) & 0xff;
  __atomic_store_n(reinterpret_cast<uint16_t*>(address),
                   static_cast<uint16_t>(0xeb | distance << 8), __ATOMIC_RELEASE);
}

}  // namespace

int64_t Patch(const PatchSite& site) {
  if (site.moved_size > sizeof(site.moved_code)) return -1;
  uint64_t index = kFirst + __atomic_fetch_add(&Table()[0], 1, __ATOMIC_ACQ_REL);
  if (index >= kMaxPatches) return -1;
  WriteTrampoline(TrampolineAt(index), site);
  bool slow = __atomic_load_n(&Table()[1], __ATOMIC_ACQUIRE) != 0;
  __atomic_store_n(&Table()[index], TrampolineAt(index) + (slow ? kSlowOffset : 0),
                   __ATOMIC_RELEASE);
  WriteJump(site.jump, index);
  if (site.jump != site.site) WriteShortJump(site.site, site.jump);
  return 0;
}

void StopPatchedCalls() {
  if (__atomic_exchange_n(&Table()[1], 1, __ATOMIC_ACQ_REL) != 0) return;
  for (uint64_t i = kFirst, end = End(); i < end; ++i) {
    __atomic_store_n(&Table()[i], TrampolineAt(i) + kSlowOffset, __ATOMIC_RELEASE);
  }
}

namespace {

void BecomeCallAt(greg_t* g, uint64_t after) {
  g[REG_RIP] = g[REG_RCX] = static_cast<greg_t>(after);
  g[REG_R11] = g[REG_EFL];
}

}  // namespace

Meeting MeetPatch(int signal, greg_t* g) {
  auto rip = static_cast<uint64_t>(g[REG_RIP]);
  if (signal == SIGSYS && InTrampolines(rip)) {
    uint64_t index = (rip - kTrampolines) / kTrampolineSize;
    BecomeCallAt(g, AddressesOf(TrampolineAt(index)).after);
    return Meeting::kCall;
  }
  // patched_call.S found a %gs of the guest's own.
  bool fault = signal == SIGSEGV || signal == SIGBUS;
  if ((fault && rip == reinterpret_cast<uint64_t>(ShimPatchedCall)) ||
      (signal == SIGILL && rip == reinterpret_cast<uint64_t>(ShimForeignGs))) {
    BecomeCallAt(g, static_cast<uint64_t>(g[REG_R11]));
    return Meeting::kCall;
  }
  if (signal != SIGILL) return Meeting::kNone;
  for (uint64_t i = kFirst, end = End(); i < end; ++i) {
    const Addresses& addresses = AddressesOf(TrampolineAt(i));
    if (rip == addresses.site) {  // Being written just now.
      g[REG_RIP] = static_cast<greg_t>(__atomic_load_n(&Table()[i], __ATOMIC_ACQUIRE));
      return Meeting::kElsewhere;
    }
    if (rip == addresses.after - kSyscallSize) {
      BecomeCallAt(g, addresses.after);
      return Meeting::kCall;
    }
  }
  return Meeting::kNone;
}

// All that comes before the call may be done again. After it, at `jmp *after`, futex has come back
// by itself; other calls trap.
void LeaveTrampoline(greg_t* g) {
  auto rip = static_cast<uint64_t>(g[REG_RIP]);
  uint64_t offset = (rip - kTrampolines) % kTrampolineSize;
  const Addresses& addresses = AddressesOf(rip - offset);
  bool called = offset >= kSlowOffset && offset < kAddressesOffset &&
                *reinterpret_cast<const volatile uint8_t*>(rip) == 0xff;
  g[REG_RIP] = static_cast<greg_t>(called ? addresses.after : addresses.site);
  if (called) g[REG_RCX] = g[REG_RIP];
}

}  // namespace redoubt::platform::seccomp_trap
