// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/native_memory.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/seccomp_trap/layout.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr uint32_t kProtections = PROT_READ | PROT_WRITE | PROT_EXEC;
constexpr uint32_t kMapFlags = MAP_PRIVATE | MAP_ANONYMOUS;
constexpr uint32_t kFixed = MAP_FIXED | MAP_FIXED_NOREPLACE;
// Not MAP_GROWSDOWN, nor what the sentry drops or refuses.
constexpr uint32_t kOptionalMapFlags =
    kFixed | MAP_32BIT | MAP_NORESERVE | MAP_NONBLOCK | MAP_STACK;

// Upper halves of addresses. Below kHighShim - 1, a range of 32-bit length ends before the slots.
constexpr uint32_t kHighShim = kSlots >> 32;
constexpr uint32_t kHighShimLast = (kHighEnd - 1) >> 32;
constexpr uint32_t kHighGuestLast = (kGuestEnd - 1) >> 32;
static_assert(kHighShim > 2 && kHighShimLast < kHighGuestLast);
static_assert(kGuestStart <= UINT32_MAX && kGuestStart % kPageSize == 0);

void RequireGuestAddress(Program& p, unsigned argument) {
  p.Load(ArgumentHigh(argument));
  p.IfAbove(
      kHighShim - 2,
      [](Program& above) {
        above.RequireAtLeast(kHighShimLast + 1);
        above.RequireAtMost(kHighGuestLast);
      },
      [&](Program& below) {
        below.IfAbove(
            0, [](Program&) {},
            [&](Program& low) {
              low.Load(ArgumentLow(argument));
              low.RequireAtLeast(kGuestStart);
            });
      });
}

void RequireHighZero(Program& p, unsigned argument) {
  p.Load(ArgumentHigh(argument));
  p.RequireEqual(0);
}

void RequireGuestRange(Program& p, unsigned address, unsigned length) {
  RequireHighZero(p, length);
  RequireGuestAddress(p, address);
}

void RequireProtection(Program& p, unsigned argument) {
  RequireHighZero(p, argument);
  p.Load(ArgumentLow(argument));
  p.RequireNone(~kProtections);
}

void RequirePrivateAnonymous(Program& p, uint32_t optional) {
  RequireHighZero(p, 1);
  RequireProtection(p, 2);
  RequireHighZero(p, 3);
  p.Load(ArgumentLow(3));
  p.Mask(~optional);
  p.RequireEqual(kMapFlags);
}

void RequireAnyOf(Program& p, uint32_t a, uint32_t b) {
  p.IfAbove(
      a, [&](Program& above) { above.RequireEqual(b); },
      [&](Program& up_to) { up_to.RequireEqual(a); });
}

// Four numbers, in order.
void RequireHarmlessAdvice(Program& p) {
  static_assert(MADV_DONTNEED < MADV_FREE && MADV_FREE < MADV_HUGEPAGE &&
                MADV_HUGEPAGE < MADV_NOHUGEPAGE);
  p.Load(ArgumentLow(2));  // An int: the host does not look at the upper half.
  p.IfAbove(
      MADV_FREE, [](Program& above) { RequireAnyOf(above, MADV_HUGEPAGE, MADV_NOHUGEPAGE); },
      [](Program& up_to) { RequireAnyOf(up_to, MADV_DONTNEED, MADV_FREE); });
}

}  // namespace

void AllowNativeMemoryCalls(Program& p) {
  constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
  // Where the host likes, or where the guest says. A hint must be good, too: the host follows it
  // into holes of the shim.
  p.ReturnIfAll(SYS_mmap, kAllow, [](Program& call) {
    RequirePrivateAnonymous(call, kOptionalMapFlags & ~kFixed);
    RequireHighZero(call, 0);
    call.Load(ArgumentLow(0));
    call.RequireEqual(0);
  });
  p.ReturnIfAll(SYS_mmap, kAllow, [](Program& call) {
    RequirePrivateAnonymous(call, kOptionalMapFlags);
    RequireGuestAddress(call, 0);
  });
  p.ReturnIfAll(SYS_munmap, kAllow, [](Program& call) { RequireGuestRange(call, 0, 1); });
  p.ReturnIfAll(SYS_mprotect, kAllow, [](Program& call) {
    RequireGuestRange(call, 0, 1);
    RequireProtection(call, 2);
  });
  p.ReturnIfAll(SYS_madvise, kAllow, [](Program& call) {
    RequireGuestRange(call, 0, 1);
    RequireHarmlessAdvice(call);
  });
}

void AllowNativeRemap(Program& p) {
  p.ReturnIfAll(SYS_mremap, SECCOMP_RET_ALLOW, [](Program& call) {
    RequireGuestRange(call, 0, 1);
    RequireHighZero(call, 2);
    RequireHighZero(call, 3);
    call.Load(ArgumentLow(3));
    call.RequireNone(~uint32_t{MREMAP_MAYMOVE});
  });
}

}  // namespace redoubt::platform::seccomp_trap
