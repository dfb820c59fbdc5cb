// SPDX-License-Identifier: Apache-2.0
//
// The sentry's host calls for this platform. Those of the C library's threads (clone3, mmap of
// stacks, futex ...) are listed by the sentry itself.
#include <linux/ptrace.h>
#include <sys/syscall.h>

#include "platform/ptrace/ptrace_platform.h"

namespace redoubt::platform::ptrace {
namespace {

host::AllowedCall Call(long number, const char* reason) {
  return {.number = number, .reason = reason, .arguments = {}};
}

host::AllowedCall PtraceRequest(uint64_t request, const char* reason) {
  return {.number = SYS_ptrace, .reason = reason, .arguments = {{.index = 0, .value = request}}};
}

}  // namespace

std::vector<host::AllowedCall> HostCalls() {
  return {
      PtraceRequest(PTRACE_SEIZE, "takes over a stub's thread that sleeps"),
      PtraceRequest(PTRACE_INTERRUPT, "stops a stub's thread that was just taken over"),
      PtraceRequest(PTRACE_DETACH, "hands a stub's thread to another tracer, or to its end"),
      PtraceRequest(PTRACE_SYSEMU, "runs guest code"),
      PtraceRequest(PTRACE_CONT, "runs a host call in a stub"),
      PtraceRequest(PTRACE_GETREGS, "reads a guest thread's registers"),
      PtraceRequest(PTRACE_SETREGS, "writes a guest thread's registers"),
      PtraceRequest(PTRACE_GETREGSET, "reads a guest thread's FP state"),
      PtraceRequest(PTRACE_SETREGSET, "writes a guest thread's FP state"),
      PtraceRequest(PTRACE_GETSIGINFO, "learns where and why guest code faulted"),
      PtraceRequest(PTRACE_GET_SYSCALL_INFO, "tells 64-bit system calls from 32-bit ones"),
      Call(SYS_wait4, "waits for a stub's thread to stop, or to end"),
      Call(SYS_waitid, "reaps threads of a dead stub whose tracers are busy"),
      Call(SYS_tgkill, "brings a stub's thread out of guest code"),
      Call(SYS_kill, "ends stubs"),
      Call(SYS_process_vm_readv, "reads guest memory"),
      Call(SYS_process_vm_writev, "writes guest memory"),
      Call(SYS_sendmsg, "sends a stub the file that it is about to map"),
      Call(SYS_recvfrom, "takes back a file from a stub that died"),
      Call(SYS_clock_gettime, "reads the CPU clocks of stubs"),
      Call(SYS_clock_nanosleep, "waits for the child of a stub that died in a fork"),
      Call(SYS_sched_yield, "lets another thread finish its look at a tracee"),
  };
}

}  // namespace redoubt::platform::ptrace
