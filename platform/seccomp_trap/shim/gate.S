// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// The shim's only door to the host, and the ways in and out of it that C++ cannot express.
#include <asm/unistd_64.h>

  .text

// long ShimGate(long number, a, b, c, d, e, f): the filter knows ShimGateEnd and lets some calls
// pass only from here. A guest may jump here too; so the filter and its listener trust nobody.
  .globl ShimGate
  .globl ShimGateEnd
  .type ShimGate, @function
ShimGate:
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov %rcx, %rdx
  mov %r8, %r10
  mov %r9, %r8
  mov 8(%rsp), %r9
.Lsyscall:
  syscall
ShimGateEnd:
  ret

// The return address of signal handlers: rsp is at the ucontext, as rt_sigreturn(2) wants it.
  .globl ShimRestorer
ShimRestorer:
  mov $__NR_rt_sigreturn, %eax
  jmp .Lsyscall

// Where a new thread comes out of clone: its stack holds the address of its ucontext.
  .globl ShimThreadEntry
ShimThreadEntry:
  mov (%rsp), %rbx
  mov %rbx, %rdi
  call ShimThreadMain
  mov %rbx, %rsp
  jmp ShimRestorer

// Runs as guest code, with the interrupt signal unblocked: a host call that may block, then a call
// that traps and brings the result (rdi) back to the sentry.
  .globl ShimGuestCall
  .globl ShimGuestCallEnd
ShimGuestCall:
  syscall
  mov %rax, %rdi
  mov $0x3fffff00, %eax  // kGuestCallDone
  syscall
ShimGuestCallEnd:
  ud2

// The zygote's start: the host's stack is given up for the first signal stack once that is mapped.
  .globl _start
_start:
  mov %rsp, %rdi
  and $-64, %rsp
  call ShimStart
  ud2

  .section .note.GNU-stack, "", @progbits
