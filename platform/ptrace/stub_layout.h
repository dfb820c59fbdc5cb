// SPDX-License-Identifier: Apache-2.0
//
// Where things are in the stub's code, counted from its entry point: what stub.S and the sentry's
// side agree on. Macros only: stub.S includes it.
#ifndef PLATFORM_PTRACE_STUB_LAYOUT_H_
#define PLATFORM_PTRACE_STUB_LAYOUT_H_

// The entry point: sleeps for ever. A thread that nobody traces waits here for its next tracer.
#define STUB_PARK 0x00
// Host calls: `syscall; int3`, so that one stop tells the result.
#define STUB_CALL 0x20
#define STUB_CALL_END 0x23
// clone of a process: the child asks to die with the sentry, then parks.
#define STUB_FORK 0x40
#define STUB_FORK_END 0x47
// clone of a thread: the child parks.
#define STUB_THREAD 0x60
#define STUB_THREAD_END 0x67
// The name of the process, for prctl(PR_SET_NAME).
#define STUB_NAME 0x80

#endif  // PLATFORM_PTRACE_STUB_LAYOUT_H_
