// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// Accesses through the guest's pointers. Each may fault at one instruction; the handler (capture.cc)
// then goes on at the label that stands for failure.

  .text

// uint64_t ShimCopyUser(void* to, const void* from, uint64_t size): the bytes that are left.
  .globl ShimCopyUser
  .globl ShimCopyUserAccess
  .globl ShimCopyUserFault
ShimCopyUser:
  mov %rdx, %rcx
ShimCopyUserAccess:
  rep movsb
ShimCopyUserFault:
  mov %rcx, %rax
  ret

// uint64_t ShimCopyString(char* to, const char* from, uint64_t limit): the length with the NUL, or 0
// when there is none within `limit` bytes or the memory ends.
  .globl ShimCopyString
  .globl ShimCopyStringAccess
  .globl ShimFault
ShimCopyString:
  xor %eax, %eax
1:
  cmp %rdx, %rax
  jae ShimFault
ShimCopyStringAccess:
  movzbl (%rsi,%rax), %ecx
  mov %cl, (%rdi,%rax)
  inc %rax
  test %cl, %cl
  jne 1b
  ret
ShimFault:
  xor %eax, %eax
  ret

// uint64_t ShimProbe(void* address): 1 when the byte can be written. Changes nothing.
  .globl ShimProbe
  .globl ShimProbeAccess
ShimProbe:
ShimProbeAccess:
  lock orb $0, (%rdi)
  mov $1, %eax
  ret

  .section .note.GNU-stack, "", @progbits
