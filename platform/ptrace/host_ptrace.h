// SPDX-License-Identifier: Apache-2.0
//
// ptrace(2) and wait4(2), typed. Every function works on a thread that the caller traces and that
// is stopped; ESRCH means that it is dead (or not ours).
#ifndef PLATFORM_PTRACE_HOST_PTRACE_H_
#define PLATFORM_PTRACE_HOST_PTRACE_H_

#include <linux/ptrace.h>
#include <sys/resource.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "platform/arch/registers.h"

namespace redoubt::platform::ptrace {

// Makes the calling thread the tracer of `tid`; it goes on running. It dies with the tracer.
Result<void> Seize(int tid);
// Stops a running tracee.
Result<void> InterruptTracee(int tid);
Result<void> Detach(int tid);

enum class ResumeMode {
  kGuest,  // PTRACE_SYSEMU: a system call stops the thread and never happens.
  kHost,   // PTRACE_CONT: for the stub's own code, whose system calls are the host's.
};
Result<void> Resume(int tid, ResumeMode mode);

Result<void> GetRegisters(int tid, Registers& registers);
Result<void> SetRegisters(int tid, const Registers& registers);
Result<void> GetSiginfo(int tid, siginfo_t& info);
// The system call that a kGuest thread stopped in: which ABI it used.
Result<void> GetSyscallInfo(int tid, ptrace_syscall_info& info);
// XSAVE image in the standard format; `image` has arch::HostXstateSize() bytes.
Result<void> GetHostXstate(int tid, std::span<std::byte> image);
Result<void> SetHostXstate(int tid, std::span<const std::byte> image);

// Waits for a change of exactly `tid`, a tracee or child of any thread of this process. Gives the
// wait status, and with `usage` the CPU time of a process that it reaped.
Result<int> Wait(int tid, rusage* usage = nullptr);
// Looks for a change of any tracee of the calling thread: `tid` is 0 when there is none yet, -1
// when there are no tracees.
struct AnyStatus {
  int tid = -1;
  int status = 0;
};
AnyStatus PollAnyTracee(rusage* usage);
// Takes the exit of thread `tid`, if there is one, off the host's hands. Never takes a stop.
bool ReapIfExited(int tid);

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_HOST_PTRACE_H_
