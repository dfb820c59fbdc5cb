// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/filter.h"

#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr std::array<uint32_t, 6> kNativeFutexes = {
    FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET};
constexpr uint32_t kFutexModifiers = FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME;

constexpr std::array<long, 19> kNotifiedCalls = {
    SYS_mmap,     SYS_munmap,     SYS_mprotect,      SYS_mremap,          SYS_madvise,
    SYS_mincore,  SYS_msync,      SYS_mlock,         SYS_mlock2,          SYS_munlock,
    SYS_mlockall, SYS_munlockall, SYS_clock_gettime, SYS_clock_getres,    SYS_membarrier,
    SYS_futex,    SYS_clone,      SYS_pkey_mprotect, SYS_remap_file_pages};

constexpr uint32_t kNumber = offsetof(seccomp_data, nr);
constexpr uint32_t kArch = offsetof(seccomp_data, arch);
constexpr uint32_t kInstruction = offsetof(seccomp_data, instruction_pointer);
constexpr uint32_t ArgumentLow(unsigned i) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args) + i * sizeof(uint64_t));
}

// Straight-line programs: every test either falls through or returns.
class Program {
 public:
  void Load(uint32_t offset) { Add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void Mask(uint32_t mask) { Add(BPF_ALU | BPF_AND | BPF_K, mask); }
  void Return(uint32_t action) { Add(BPF_RET | BPF_K, action); }
  void ReturnIf(uint32_t value, uint32_t action) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    Return(action);
  }
  void ReturnUnless(uint32_t value, uint32_t action) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    Return(action);
  }
  // Runs `block` only when the accumulator is `value`.
  template <typename F>
  void If(uint32_t value, F block) {
    Program inner;
    block(inner);
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, static_cast<uint8_t>(inner.code_.size()));
    code_.insert(code_.end(), inner.code_.begin(), inner.code_.end());
  }
  // Returns `action` unless the 64-bit word at `offset` is `value`.
  void ReturnUnless64(uint32_t offset, uint64_t value, uint32_t action) {
    Load(offset);
    ReturnUnless(static_cast<uint32_t>(value), action);
    Load(offset + sizeof(uint32_t));
    ReturnUnless(static_cast<uint32_t>(value >> 32), action);
  }
  std::vector<sock_filter> Take() { return std::move(code_); }

 private:
  void Add(int code, uint32_t k, uint8_t if_true = 0, uint8_t if_false = 0) {
    code_.push_back({static_cast<uint16_t>(code), if_true, if_false, k});
  }
  std::vector<sock_filter> code_;
};

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

std::vector<sock_filter> BuildFilter(const ShimInfo& shim) {
  Program p;
  p.Load(kArch);
  p.ReturnUnless(AUDIT_ARCH_X86_64, SECCOMP_RET_TRAP);
  p.Load(kNumber);
  p.If(SYS_futex, AllowNativeFutexes);
  p.ReturnIf(SYS_sched_yield, SECCOMP_RET_ALLOW);
  p.ReturnUnless64(kInstruction, shim.gate, SECCOMP_RET_TRAP);
  p.Load(kNumber);
  for (uint32_t number : {SYS_rt_sigreturn, SYS_close, SYS_exit}) {
    p.ReturnIf(number, SECCOMP_RET_ALLOW);
  }
  p.If(SYS_madvise, AllowDontForkOfSlots);
  for (long number : kNotifiedCalls) {
    p.ReturnIf(static_cast<uint32_t>(number), SECCOMP_RET_USER_NOTIF);
  }
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
