// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space. No libc, no heap, no stack, no relocations.
//
// The whole program of the ptrace platform's stubs. A guest may jump here too: it is traced then,
// and a `syscall` here is a system call of the guest like one anywhere else.
#include "platform/ptrace/stub_layout.h"

  .text
  .globl _start
_start:
  .org _start + STUB_PARK
  mov $34, %eax                 // pause
  syscall
  jmp _start

  .org _start + STUB_CALL
  syscall
  int3
  .org _start + STUB_CALL_END

  .org _start + STUB_FORK
  syscall
  test %eax, %eax
  jz 1f
  int3
  .org _start + STUB_FORK_END
1:
  mov $157, %eax                // prctl(PR_SET_PDEATHSIG, SIGKILL)
  mov $1, %edi
  mov $9, %esi
  syscall
  jmp _start

  .org _start + STUB_THREAD
  syscall
  test %eax, %eax
  jz _start
  int3
  .org _start + STUB_THREAD_END

  .org _start + STUB_NAME
  .asciz "stub"

// One private page for the arguments of injected calls (a recvmsg header). Guest code can write to
// it: nothing read from here is trusted.
  .data
  .balign 4096
  .fill 4096, 1, 0

  .section .note.GNU-stack, "", @progbits
