// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// From a host signal to a report, and from the sentry's registers back to the frame.
#include <errno.h>
#include <sys/syscall.h>

#include "platform/seccomp_trap/shim/shim.h"

namespace redoubt::platform::seccomp_trap {

uint64_t ReadFsBase() {
  uint64_t value;
  asm volatile("rdfsbase %0" : "=r"(value));
  return value;
}
void WriteFsBase(uint64_t value) { asm volatile("wrfsbase %0" : : "r"(value) : "memory"); }

namespace {

constexpr uint64_t kFlagAlignmentCheck = 0x40000;
constexpr uint32_t kArchX86_64 = 0xc000003e;  // AUDIT_ARCH_X86_64.
constexpr uint64_t kTrapGeneralProtection = 13;

uint64_t ReadGsBase() {
  uint64_t value;
  asm volatile("rdgsbase %0" : "=r"(value));
  return value;
}
void WriteGsBase(uint64_t value) { asm volatile("wrgsbase %0" : : "r"(value) : "memory"); }
// A guest may run with alignment checks; the shim does not.
void DropAlignmentCheck() {
  asm volatile("pushfq; andq $~0x40000, (%%rsp); popfq" : : : "memory", "cc");
}

// The slot's own address stands for a guest's zero: patched calls find the slot by it.
uint64_t GuestGsBase(const Slot* slot) {
  uint64_t base = ReadGsBase();
  return base == reinterpret_cast<uint64_t>(slot) ? 0 : base;
}

void SaveRegisters(const greg_t* g, Slot* slot) {
  Registers& r = slot->registers;
  r.r15 = g[REG_R15], r.r14 = g[REG_R14], r.r13 = g[REG_R13], r.r12 = g[REG_R12];
  r.rbp = g[REG_RBP], r.rbx = g[REG_RBX], r.r11 = g[REG_R11], r.r10 = g[REG_R10];
  r.r9 = g[REG_R9], r.r8 = g[REG_R8], r.rax = g[REG_RAX], r.rcx = g[REG_RCX];
  r.rdx = g[REG_RDX], r.rsi = g[REG_RSI], r.rdi = g[REG_RDI], r.orig_rax = ~uint64_t{0};
  r.rip = g[REG_RIP], r.rflags = g[REG_EFL], r.rsp = g[REG_RSP];
  uint64_t segments = g[REG_CSGSFS];  // cs, gs, fs, ss: 16 bits each.
  r.cs = segments & 0xffff, r.gs = segments >> 16 & 0xffff, r.fs = segments >> 32 & 0xffff;
  r.ss = segments >> 48, r.ds = 0, r.es = 0;
  r.fs_base = ReadFsBase(), r.gs_base = GuestGsBase(slot);
}

// A native futex wait that an interrupt ended becomes a call to the sentry, which knows whether a
// signal handler will run and restarts the call or lets it fail.
bool WasInFutex(const greg_t* g) { return g[REG_RAX] == -EINTR && g[REG_RCX] == g[REG_RIP]; }

void ReportSyscall(Slot* slot, uint64_t number) {
  slot->report.kind = ReportKind::kSyscall;
  slot->registers.orig_rax = number;
  slot->registers.rax = static_cast<uint64_t>(-ENOSYS);
}

void ReportFault(Slot* slot, int signal, const siginfo_t* info, const greg_t* g) {
  Report& report = slot->report;
  report.kind = ReportKind::kFault;
  report.signal = signal;
  report.signal_code = info->si_code;
  report.fault_address = reinterpret_cast<uint64_t>(info->si_addr);
  report.trap_number = static_cast<uint64_t>(g[REG_TRAPNO]);
  report.error_code = static_cast<uint64_t>(g[REG_ERR]);
}

// `int $0x80` does what it does on a kernel without 32-bit emulation.
void ReportForeignCall(Slot* slot) {
  Report& report = slot->report;
  report.kind = ReportKind::kFault;
  report.signal = SIGSEGV;
  report.signal_code = SI_KERNEL;
  report.fault_address = 0;
  report.trap_number = kTrapGeneralProtection;
  report.error_code = 0x80 << 3 | 2;
  slot->registers.rip -= 2;
}

void FillReport(Slot* slot, int signal, const siginfo_t* info, const greg_t* g) {
  if (signal == SIGSYS) {
    if (info->si_arch != kArchX86_64) return ReportForeignCall(slot);
    return ReportSyscall(slot, static_cast<uint64_t>(g[REG_RAX]));
  }
  if (signal != kInterruptSignal) return ReportFault(slot, signal, info, g);
  if (WasInFutex(g)) return ReportSyscall(slot, SYS_futex);
  slot->report.kind = ReportKind::kInterrupted;
}

}  // namespace

void TellFromNativeCall(Registers& r) {
  if (r.rax == static_cast<uint64_t>(-EINTR) && r.rcx == r.rip) r.rcx = 0;
}

void LoadRegisters(Slot* slot, ucontext_t* context) {
  Registers& r = slot->registers;
  TellFromNativeCall(r);
  greg_t* g = context->uc_mcontext.gregs;
  auto set = [&](int index, uint64_t value) { g[index] = static_cast<greg_t>(value); };
  set(REG_R15, r.r15), set(REG_R14, r.r14), set(REG_R13, r.r13), set(REG_R12, r.r12);
  set(REG_RBP, r.rbp), set(REG_RBX, r.rbx), set(REG_R11, r.r11), set(REG_R10, r.r10);
  set(REG_R9, r.r9), set(REG_R8, r.r8), set(REG_RAX, r.rax), set(REG_RCX, r.rcx);
  set(REG_RDX, r.rdx), set(REG_RSI, r.rsi), set(REG_RDI, r.rdi), set(REG_RIP, r.rip);
  set(REG_EFL, r.rflags), set(REG_RSP, r.rsp);
  set(REG_CSGSFS,
      (r.cs & 0xffff) | (r.gs & 0xffff) << 16 | (r.fs & 0xffff) << 32 | (r.ss & 0xffff) << 48);
  __builtin_memset(&context->uc_sigmask, 0, sizeof(uint64_t));
  slot->interrupted = 0;
  slot->mark = kSlotMark;
  slot->call_stack = StackAddress(SlotIndexOf(context)) + kStackSize - 64;
  WriteFsBase(r.fs_base);
  if (r.gs_base != 0) StopPatchedCalls();
  WriteGsBase(r.gs_base != 0 ? r.gs_base : reinterpret_cast<uint64_t>(slot));
}

namespace {

bool Within(uint64_t address, const char* start, const char* end) {
  return address >= reinterpret_cast<uint64_t>(start) && address < reinterpret_cast<uint64_t>(end);
}

// An interrupt that meets the shim itself, in a patched call: true when there is no more to do now.
bool PostponeInterrupt(Slot* slot, ucontext_t* context) {
  greg_t* g = context->uc_mcontext.gregs;
  auto rip = static_cast<uint64_t>(g[REG_RIP]);
  if (Within(rip, ShimPatchedExit, ShimPatchedExitEnd)) {
    // Half-way back in the guest; the slot has all its registers.
    LoadRegisters(slot, context);
    return false;
  }
  if (InTrampolines(rip)) LeaveTrampoline(g);
  if (!Within(rip, __executable_start, etext)) return false;
  if (Within(rip, ShimGuestCall, ShimGuestCallEnd)) return false;
  slot->interrupted = 1;  // ShimPatchedExit looks.
  return true;
}

}  // namespace

namespace {

// A call that came by signal. Some are the sentry's all the same, which patches what it sees often:
// later on few, since they may be of a site that cannot be patched.
bool AnswerTrapped(Slot* slot, Meeting patch, greg_t* g) {
  uint64_t trapped = ++slot->local.trapped;
  uint64_t rarely = trapped < 256 ? 1 : 31;
  if (patch == Meeting::kNone && (trapped & rarely) == 0) return false;
  auto value = [&](int index) { return static_cast<uint64_t>(g[index]); };
  uint64_t result;
  CallRegisters call{value(REG_RAX), value(REG_RDI), value(REG_RSI), value(REG_RDX),
                     value(REG_R10)};
  if (!AnswerLocally(slot, call, &result)) return false;
  g[REG_RAX] = static_cast<greg_t>(result);
  return true;
}

}  // namespace

extern "C" void ShimOnSignal(int signal, siginfo_t* info, ucontext_t* context) {
  greg_t* g = context->uc_mcontext.gregs;
  if (static_cast<uint64_t>(g[REG_EFL]) & kFlagAlignmentCheck) DropAlignmentCheck();
  if (RecoverUserAccess(signal, g)) return;
  Slot* slot = SlotAt(SlotIndexOf(context));
  auto rip = static_cast<uint64_t>(g[REG_RIP]);
  if (signal == SIGSYS && rip == reinterpret_cast<uint64_t>(ShimNeedFrameEnd) &&
      static_cast<uint64_t>(g[REG_RAX]) == kNeedFrame) {
    return ServeCommands(slot, context, /*report=*/false);
  }
  if (signal == kInterruptSignal && PostponeInterrupt(slot, context)) return;
  Meeting patch = MeetPatch(signal, g);
  if (patch == Meeting::kElsewhere) return;
  bool call = signal == SIGSYS && info->si_arch == kArchX86_64;
  if (call && AnswerTrapped(slot, patch, g)) return;
  SaveRegisters(g, slot);
  slot->report.patched = patch == Meeting::kCall;
  if (patch == Meeting::kCall) {
    ReportSyscall(slot, static_cast<uint64_t>(g[REG_RAX]));
  } else {
    FillReport(slot, signal, info, g);
  }
  if (slot->report.kind == ReportKind::kSyscall) CaptureCall(slot);
  ServeCommands(slot, context, /*report=*/true);
}

}  // namespace redoubt::platform::seccomp_trap
