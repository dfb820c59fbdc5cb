// SPDX-License-Identifier: Apache-2.0
//
// The general registers of an amd64 guest thread, laid out as the host's user_regs_struct so that a
// platform can hand them to ptrace as they are.
#ifndef PLATFORM_ARCH_REGISTERS_H_
#define PLATFORM_ARCH_REGISTERS_H_

#include <sys/user.h>

#include <array>
#include <cstdint>

namespace redoubt::platform {

struct Registers {
  uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
  uint64_t orig_rax;  // The system call's number while one is served, else ~0.
  uint64_t rip, cs, rflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;

  // System call arguments, amd64 order (syscall(2)).
  std::array<uint64_t, 6> SyscallArguments() const { return {rdi, rsi, rdx, r10, r8, r9}; }
};
static_assert(sizeof(Registers) == sizeof(user_regs_struct));

// Segment selectors of 64-bit user code on Linux (arch/x86/include/asm/segment.h).
inline constexpr uint64_t kUserCodeSegment = 0x33;
inline constexpr uint64_t kUserStackSegment = 0x2b;
// Flags a guest may set through a signal frame (FIX_EFLAGS in arch/x86/kernel/signal_64.c).
inline constexpr uint64_t kGuestSettableFlags = 0x50dd5;  // AC OF DF TF SF ZF AF PF CF RF.

}  // namespace redoubt::platform

#endif  // PLATFORM_ARCH_REGISTERS_H_
