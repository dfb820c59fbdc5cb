// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// The way of a call from a patched site: no signal, no frame. %gs is at the slot (protocol.h). The
// guest's stack is not touched (red zones, tiny stacks) and its flags are kept, as `syscall` does.

#define INTERRUPTED 12
#define CALL_STACK 16
#define MARK 40
#define SLOT_MARK 0x5d0b7e3a
#define REGISTERS 256
#define R15 (REGISTERS + 0)
#define R14 (REGISTERS + 8)
#define R13 (REGISTERS + 16)
#define R12 (REGISTERS + 24)
#define RBP (REGISTERS + 32)
#define RBX (REGISTERS + 40)
#define R11 (REGISTERS + 48)
#define R10 (REGISTERS + 56)
#define R9 (REGISTERS + 64)
#define R8 (REGISTERS + 72)
#define RAX (REGISTERS + 80)
#define RCX (REGISTERS + 88)
#define RDX (REGISTERS + 96)
#define RSI (REGISTERS + 104)
#define RDI (REGISTERS + 112)
#define ORIG_RAX (REGISTERS + 120)
#define RIP (REGISTERS + 128)
#define RFLAGS (REGISTERS + 144)
#define RSP (REGISTERS + 152)

  .text

// From a trampoline: rax is the number, r11 the address to go back to. A guest may have set a %gs of
// its own by wrgsbase, unseen: then the first access faults, or finds no mark, and the handler makes
// the frame that of a call that trapped. Nothing here changes a flag.
  .globl ShimPatchedCall
  .globl ShimForeignGs
ShimPatchedCall:
  mov %gs:MARK, %rcx
  lea -SLOT_MARK(%rcx), %rcx
  jrcxz 1f
ShimForeignGs:
  ud2
1:
  mov %rsp, %gs:RSP
  mov %gs:CALL_STACK, %rsp
  mov %r11, %gs:RIP
  mov %r11, %gs:RCX
  mov %r15, %gs:R15
  mov %r14, %gs:R14
  mov %r13, %gs:R13
  mov %r12, %gs:R12
  mov %rbp, %gs:RBP
  mov %rbx, %gs:RBX
  mov %r10, %gs:R10
  mov %r9, %gs:R9
  mov %r8, %gs:R8
  mov %rdx, %gs:RDX
  mov %rsi, %gs:RSI
  mov %rdi, %gs:RDI
  mov %rax, %gs:ORIG_RAX
  pushfq
  pop %r11
  mov %r11, %gs:RFLAGS
  mov %r11, %gs:R11
  pushq $2            // Flags for C++: forwards, no alignment checks.
  popfq
  rdgsbase %rbx
  mov %rbx, %rdi
  call ShimServePatched

// From here on the slot's registers are the guest's: an interrupt takes them from there.
  .globl ShimPatchedExit
  .globl ShimPatchedExitEnd
ShimPatchedExit:
  cmpl $0, %gs:INTERRUPTED
  jne 1f
  pushq %gs:RFLAGS
  mov %gs:R15, %r15
  mov %gs:R14, %r14
  mov %gs:R13, %r13
  mov %gs:R12, %r12
  mov %gs:RBP, %rbp
  mov %gs:RBX, %rbx
  mov %gs:R11, %r11
  mov %gs:R10, %r10
  mov %gs:R9, %r9
  mov %gs:R8, %r8
  mov %gs:RAX, %rax
  mov %gs:RCX, %rcx
  mov %gs:RDX, %rdx
  mov %gs:RSI, %rsi
  mov %gs:RDI, %rdi
  popfq
  mov %gs:RSP, %rsp
  jmp *%gs:RIP
ShimPatchedExitEnd:
1:
  mov %rbx, %rdi
  call ShimPatchedInterrupted
  jmp ShimPatchedExit

// A call that the filter traps, to get into a signal handler: its frame holds the FP state.
  .globl ShimNeedFrame
  .globl ShimNeedFrameEnd
ShimNeedFrame:
  mov $0x3fffff01, %eax  // kNeedFrame
  syscall
ShimNeedFrameEnd:
  ud2

  .section .note.GNU-stack, "", @progbits
