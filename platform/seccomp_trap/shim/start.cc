// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// The zygote's first steps. It starts with one descriptor, kStubFd: its own slots. The rest of its
// set-up (unmapping the host's stack, the filter) is done by the sentry's commands.
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/seccomp_trap/shim/shim.h"

namespace redoubt::platform::seccomp_trap {
namespace {

// struct sigaction as the host's kernel has it.
struct KernelSigaction {
  void (*handler)(int, siginfo_t*, ucontext_t*);
  uint64_t flags;
  void (*restorer)();
  uint64_t mask;
};
constexpr uint64_t kSaRestorer = 0x04000000;

void Require(bool condition, int code) {
  if (condition) return;
  ShimGate(SYS_exit_group, static_cast<uint64_t>(code));
  __builtin_trap();
}

void InstallHandlers() {
  // A fault inside a handler must reach its own handler, so nothing is blocked but the interrupt.
  KernelSigaction action{ShimOnSignal, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | kSaRestorer,
                         ShimRestorer, uint64_t{1} << (kInterruptSignal - 1)};
  for (int signal : {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, kInterruptSignal}) {
    long result = ShimGate(SYS_rt_sigaction, static_cast<uint64_t>(signal),
                           reinterpret_cast<uint64_t>(&action), 0, sizeof(action.mask));
    Require(result == 0, 13);
  }
}

void MapRegions() {
  constexpr uint64_t kReadWrite = PROT_READ | PROT_WRITE;
  long slots = ShimGate(SYS_mmap, kSlots, kSlotsSize, kReadWrite, MAP_SHARED | MAP_FIXED_NOREPLACE,
                        kStubFd, 0);
  Require(slots == static_cast<long>(kSlots), 10);
  // Not inherited: a child can never reach its parent's slots, not even by a broken shim.
  Require(ShimGate(SYS_madvise, kSlots, kSlotsSize, MADV_DONTFORK) == 0, 11);
  long stacks =
      ShimGate(SYS_mmap, kStacks, kStacksSize, kReadWrite,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, ~uint64_t{0}, 0);
  Require(stacks == static_cast<long>(kStacks), 12);
  ShimGate(SYS_close, kStubFd);
  constexpr uint64_t kFixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  long table =
      ShimGate(SYS_mmap, kPatchTable, kPatchTableSize, kReadWrite, kFixed, ~uint64_t{0}, 0);
  Require(table == static_cast<long>(kPatchTable), 15);
  // Writable code is no danger here: a guest may have it anyway.
  long code = ShimGate(SYS_mmap, kTrampolines, kTrampolinesSize, kReadWrite | PROT_EXEC, kFixed,
                       ~uint64_t{0}, 0);
  Require(code == static_cast<long>(kTrampolines), 16);
}

void PublishInfo(uint64_t start_stack) {
  auto* info = reinterpret_cast<ShimInfo*>(WindowOf(SlotAt(0)));
  info->gate = reinterpret_cast<uint64_t>(ShimGateEnd);
  info->guest_call = reinterpret_cast<uint64_t>(ShimGuestCall);
  info->start_stack = start_stack;
  info->guest_call_end = reinterpret_cast<uint64_t>(ShimGuestCallEnd);
}

}  // namespace

extern "C" [[noreturn]] void ShimStart(uint64_t start_stack) {
  MapRegions();
  InstallHandlers();
  stack_t stack{reinterpret_cast<void*>(StackAddress(0)), 0, kStackSize};
  Require(ShimGate(SYS_sigaltstack, reinterpret_cast<uint64_t>(&stack)) == 0, 14);
  PublishInfo(start_stack);
  // Never comes back here: the handler serves the sentry for ever, or becomes a guest.
  long pid = ShimGate(SYS_getpid);
  ShimGate(SYS_kill, static_cast<uint64_t>(pid), kInterruptSignal);
  __builtin_trap();
}

}  // namespace redoubt::platform::seccomp_trap
