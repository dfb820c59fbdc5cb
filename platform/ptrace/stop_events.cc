// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/stop_events.h"

#include <linux/audit.h>

#include "platform/ptrace/remote_memory.h"

namespace redoubt::platform::ptrace {
namespace {

// Exception vectors (arch/x86/include/asm/trapnr.h).
enum Trap : uint64_t {
  kDivideError = 0,
  kDebug = 1,
  kBreakpoint = 3,
  kInvalidOpcode = 6,
  kGeneralProtection = 13,
  kPageFault = 14,
  kAlignmentCheck = 17,
  kSimdError = 19,
};
// Bits of a page fault's error code.
constexpr uint64_t kPresent = 1, kWrite = 2, kUser = 4, kFetch = 16;

constexpr uint64_t kLongestInstruction = 15;

// The host does not tell a tracer the error code. Some handlers look at the write bit, so it is
// worth a guess: what can be read, and was not being executed, was being written.
uint64_t GuessPageFault(const Tracee& tracee, const Event& event, uint64_t rip) {
  if (event.signal_code == SEGV_MAPERR) return kUser;
  uint64_t address = event.fault_address;
  std::byte byte;
  bool readable = ReadMemory(tracee.tid(), address, std::span(&byte, 1)).ok();
  if (readable && !(address >= rip && address < rip + kLongestInstruction)) {
    return kUser | kPresent | kWrite;
  }
  return kUser | kPresent | (address == rip ? kFetch : uint64_t{0});
}

void DescribeTrap(const Tracee& tracee, uint64_t rip, Event& event) {
  switch (event.signal) {
    case SIGSEGV:
      event.trap_number = event.signal_code == SI_KERNEL ? kGeneralProtection : kPageFault;
      if (event.signal_code != SI_KERNEL) event.error_code = GuessPageFault(tracee, event, rip);
      break;
    case SIGBUS:
      event.trap_number = event.signal_code == BUS_ADRALN ? kAlignmentCheck : kPageFault;
      if (event.trap_number == kPageFault) event.error_code = kUser;
      break;
    case SIGILL:
      event.trap_number = kInvalidOpcode;
      break;
    case SIGFPE:
      event.trap_number = event.signal_code == FPE_INTDIV ? kDivideError : kSimdError;
      break;
    case SIGTRAP:
      event.trap_number = event.signal_code == SI_KERNEL ? kBreakpoint : kDebug;
      break;
  }
}

bool IsSynchronous(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
         signal == SIGTRAP;
}

std::optional<Event> DescribeSignal(Tracee& tracee, int signal, Registers& registers) {
  if (!IsSynchronous(signal)) return std::nullopt;
  siginfo_t info{};
  if (!tracee.Check(GetSiginfo(tracee.tid(), info)).ok()) return DeathEvent();
  if (info.si_code <= 0) return std::nullopt;  // Sent by a process, not raised by the processor.
  Event event{.kind = Event::Kind::kFault, .signal = signal, .signal_code = info.si_code};
  event.fault_address = reinterpret_cast<uint64_t>(info.si_addr);
  // SI_KERNEL has no address; the union holds other things there.
  if (info.si_code == SI_KERNEL) event.fault_address = 0;
  DescribeTrap(tracee, registers.rip, event);
  registers.orig_rax = ~uint64_t{0};
  return event;
}

// `int $0x80` and `sysenter`: the guest's kernel has no 32-bit calls, so the gate is closed to user
// code, as on a host without CONFIG_IA32_EMULATION.
Event DescribeForeignCall(Registers& registers) {
  constexpr uint64_t kInt80Length = 2, kInt80Selector = 0x80 * 8 + 2;
  registers.rip -= kInt80Length;
  registers.rax = registers.orig_rax;
  registers.orig_rax = ~uint64_t{0};
  return Event{.kind = Event::Kind::kFault,
               .signal = SIGSEGV,
               .signal_code = SI_KERNEL,
               .trap_number = kGeneralProtection,
               .error_code = kInt80Selector};
}

// Calls into the vsyscall page (0xffffffffff600000) do not come here: where the host has it at all,
// its kernel answers time, gettimeofday and getcpu itself. They read what the vDSO lets anyone
// read, and write to guest memory; nothing else can be reached there.
Event DescribeSyscall(Tracee& tracee, Registers& registers) {
  ptrace_syscall_info info{};
  if (!tracee.Check(GetSyscallInfo(tracee.tid(), info)).ok()) return DeathEvent();
  if (info.arch != AUDIT_ARCH_X86_64) return DescribeForeignCall(registers);
  Event event{.kind = Event::Kind::kSyscall};
  event.syscall_number = static_cast<uint32_t>(registers.orig_rax);  // Linux takes as much of it.
  event.arguments = registers.SyscallArguments();
  return event;
}

}  // namespace

std::optional<Event> DescribeStop(Tracee& tracee, const Stop& stop, Registers& registers) {
  switch (stop.kind) {
    case Stop::Kind::kSyscall:
      return DescribeSyscall(tracee, registers);
    case Stop::Kind::kSignal:
      return DescribeSignal(tracee, stop.signal, registers);
    case Stop::Kind::kOther:
      return std::nullopt;
    case Stop::Kind::kDead:
      return DeathEvent();
  }
  UNREACHABLE();
}

Event DeathEvent() { return Event{.kind = Event::Kind::kDead, .signal = SIGKILL}; }

}  // namespace redoubt::platform::ptrace
