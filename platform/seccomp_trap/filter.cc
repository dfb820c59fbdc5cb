// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/filter.h"

#include <linux/audit.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>

#include "platform/seccomp_trap/bpf_program.h"
#include "platform/seccomp_trap/native_memory.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr std::array<uint32_t, 6> kNativeFutexes = {
    FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET};
constexpr uint32_t kFutexModifiers = FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME;

constexpr std::array<long, 20> kNotifiedCalls = {
    SYS_mmap,     SYS_munmap,     SYS_mprotect,      SYS_mremap,           SYS_madvise,
    SYS_mincore,  SYS_msync,      SYS_mlock,         SYS_mlock2,           SYS_munlock,
    SYS_mlockall, SYS_munlockall, SYS_clock_gettime, SYS_clock_getres,     SYS_membarrier,
    SYS_futex,    SYS_clone,      SYS_pkey_mprotect, SYS_remap_file_pages, SYS_seccomp};

void AllowNativeFutexes(Program& p) {
  p.Load(ArgumentLow(1));
  p.Mask(~kFutexModifiers);
  for (uint32_t operation : kNativeFutexes) p.ReturnIf(operation, SECCOMP_RET_ALLOW);
  p.Load(kNumber);
}

// A fork's child takes its slots out of its own future forks: no other madvise passes unseen.
void AllowDontForkOfSlots(Program& p) {
  p.ReturnUnless64(ArgumentLow(0), kSlots, SECCOMP_RET_USER_NOTIF);
  p.ReturnUnless64(ArgumentLow(1), kSlotsSize, SECCOMP_RET_USER_NOTIF);
  p.ReturnUnless64(ArgumentLow(2), MADV_DONTFORK, SECCOMP_RET_USER_NOTIF);
  p.Return(SECCOMP_RET_ALLOW);
}

}  // namespace

std::vector<sock_filter> BuildFilter(const ShimInfo& shim, bool native_memory_calls) {
  Program p;
  p.Load(kArch);
  p.ReturnUnless(AUDIT_ARCH_X86_64, SECCOMP_RET_TRAP);
  p.Load(kNumber);
  p.If(SYS_futex, AllowNativeFutexes);
  p.ReturnIf(SYS_sched_yield, SECCOMP_RET_ALLOW);
  if (native_memory_calls) AllowNativeMemoryCalls(p);
  p.ReturnUnless64(kInstruction, shim.gate, SECCOMP_RET_TRAP);
  p.Load(kNumber);
  for (uint32_t number : {SYS_rt_sigreturn, SYS_close, SYS_exit}) {
    p.ReturnIf(number, SECCOMP_RET_ALLOW);
  }
  if (native_memory_calls) AllowNativeRemap(p);
  p.If(SYS_madvise, AllowDontForkOfSlots);
  for (long number : kNotifiedCalls) {
    p.ReturnIf(static_cast<uint32_t>(number), SECCOMP_RET_USER_NOTIF);
  }
  p.Return(SECCOMP_RET_TRAP);
  return p.Take();
}

std::vector<sock_filter> BuildReportingFilter(const ShimInfo& shim) {
  Program p;
  p.Load(kInstruction + 4);
  p.If(0, [&](Program& low) {
    low.Load(kInstruction);
    low.ReturnIf(static_cast<uint32_t>(shim.gate), SECCOMP_RET_ALLOW);
    low.ReturnIf(static_cast<uint32_t>(shim.guest_call + kSyscallSize), SECCOMP_RET_ALLOW);
  });
  p.Return(SECCOMP_RET_TRAP);
  return p.Take();
}

bool IsNotifiedCall(long number) {
  return std::find(kNotifiedCalls.begin(), kNotifiedCalls.end(), number) != kNotifiedCalls.end();
}

bool IsNativeFutex(uint64_t operation) {
  uint32_t command = static_cast<uint32_t>(operation) & ~kFutexModifiers;
  return std::find(kNativeFutexes.begin(), kNativeFutexes.end(), command) != kNativeFutexes.end();
}

}  // namespace redoubt::platform::seccomp_trap
