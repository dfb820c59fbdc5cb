// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
// No libc, no heap, no thread-locals, no vector registers (they hold the guest's values).
//
// A stub thread is always either in guest code or in one of the shim's signal handlers, on its own
// signal stack, above the frame in which the host keeps the guest's registers and FP state. So to
// go back is one rt_sigreturn, a fork copies everything that belongs to a thread, and the zygote is
// just a thread in the handler of a signal that it sent to itself.
#ifndef PLATFORM_SECCOMP_TRAP_SHIM_SHIM_H_
#define PLATFORM_SECCOMP_TRAP_SHIM_SHIM_H_

#include <signal.h>
#include <ucontext.h>

#include "platform/seccomp_trap/protocol.h"

namespace redoubt::platform::seccomp_trap {

extern "C" {
long ShimGate(long number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0,
              uint64_t e = 0, uint64_t f = 0);
extern const char ShimGateEnd[], ShimGuestCall[], ShimGuestCallEnd[];
extern const char ShimPatchedCall[], ShimForeignGs[], ShimPatchedExit[], ShimPatchedExitEnd[],
    ShimNeedFrameEnd[];
// The linker's.
extern const char __executable_start[], etext[];
// Comes back in the handler of the signal that it causes, never here.
[[noreturn]] void ShimNeedFrame();
void ShimServePatched(Slot* slot);
void ShimPatchedInterrupted(Slot* slot);
void ShimRestorer();
uint64_t ShimCopyUser(void* to, const void* from, uint64_t size);
uint64_t ShimCopyString(char* to, const char* from, uint64_t limit);
uint64_t ShimProbe(void* address);
extern const char ShimCopyUserAccess[], ShimCopyUserFault[], ShimCopyStringAccess[],
    ShimProbeAccess[], ShimFault[];
void ShimThreadEntry();
void ShimThreadMain(ucontext_t* context);
void ShimOnSignal(int signal, siginfo_t* info, ucontext_t* context);
}

// The slot number that belongs to the signal stack at `address`.
inline uint32_t SlotIndexOf(const void* address) {
  return ((reinterpret_cast<uint64_t>(address) - kStacks) / kStackSize) & (kMaxThreads - 1);
}
inline Slot* SlotAt(uint32_t index) { return reinterpret_cast<Slot*>(SlotAddress(index)); }
inline char* WindowOf(Slot* slot) { return reinterpret_cast<char*>(slot) + kWindowOffset; }

// A native futex wait that an interrupt ended leaves rax = -EINTR and rcx = rip, as the host's
// `syscall` does. A call that the sentry answered by EINTR must not look so.
void TellFromNativeCall(Registers& r);
// Puts what the sentry left in the slot into the frame and the segment bases.
void LoadRegisters(Slot* slot, ucontext_t* context);

uint64_t ReadFsBase();
void WriteFsBase(uint64_t value);

void GiveTurn(Slot* slot);
void AwaitTurn(Slot* slot);
// Carries out the sentry's commands until one is to run the guest, then loads the registers. With
// `report` it gives the turn away first; else a command is waiting.
void ServeCommands(Slot* slot, ucontext_t* context, bool report);
// A command that needs no signal frame: true, and its result.
bool ObeyWithoutFrame(Slot* slot, CommandKind kind, int64_t* result);
void Copy(char* to, const char* from, uint64_t size);

// What calls read and write (capture.cc). The call is in the slot's registers.
int64_t SetCaptures(const char* from, uint64_t count);
void CaptureCall(Slot* slot);
// Before the guest goes on.
void WriteResults(Slot* slot);
// True when the signal is a fault of one of our accesses; the frame goes on after it.
bool RecoverUserAccess(int signal, greg_t* g);

// Calls that the shim answers by itself (local_answers.cc).
struct CallRegisters {
  uint64_t number, rdi, rsi, rdx, r10;
};
bool AnswerLocally(Slot* slot, const CallRegisters& call, uint64_t* result);

// Patched call sites (patches.cc).
int64_t Patch(const PatchSite& site);
// All patched sites take the slow way from now on: the guest has a %gs of its own.
void StopPatchedCalls();
// What a signal has to do with patches.
enum class Meeting {
  kNone,
  kCall,       // It is a call at a patched site; the frame says so now.
  kElsewhere,  // The guest is to go on where the frame says now.
};
Meeting MeetPatch(int signal, greg_t* g);
// An interrupt in a trampoline: makes the frame one of the guest's own code, before or after the
// call at the site.
void LeaveTrampoline(greg_t* g);
inline bool InTrampolines(uint64_t address) {
  return address >= kTrampolines && address < kTrampolines + kTrampolinesSize;
}

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_SHIM_SHIM_H_
