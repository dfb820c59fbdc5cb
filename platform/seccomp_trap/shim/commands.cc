// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// The stub's side of the hand-off, and the sentry's commands.
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/seccomp_trap/shim/shim.h"

namespace redoubt::platform::seccomp_trap {
namespace {

uint64_t Load(const uint64_t& word) { return *const_cast<const volatile uint64_t*>(&word); }

}  // namespace

void GiveTurn(Slot* slot) {
  if (slot->spin_cycles != 0) slot->posted_at = __builtin_ia32_rdtsc();
  __atomic_store_n(&slot->turn, kSentry, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&slot->sentry_sleeps, __ATOMIC_SEQ_CST) == 0) return;
  ShimGate(SYS_futex, reinterpret_cast<uint64_t>(&slot->turn), FUTEX_WAKE, 1);
}

void AwaitTurn(Slot* slot) {
  uint64_t spin = slot->spin_cycles, start = spin != 0 ? __builtin_ia32_rdtsc() : 0;
  do {
    if (__atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE) == kStub) return;
    __builtin_ia32_pause();
  } while (spin != 0 && __builtin_ia32_rdtsc() - start < spin);
  __atomic_store_n(&slot->stub_sleeps, 1, __ATOMIC_SEQ_CST);
  uint32_t turn;
  while ((turn = __atomic_load_n(&slot->turn, __ATOMIC_SEQ_CST)) != kStub) {
    ShimGate(SYS_futex, reinterpret_cast<uint64_t>(&slot->turn), FUTEX_WAIT, turn);
  }
  __atomic_store_n(&slot->stub_sleeps, 0, __ATOMIC_RELAXED);
}

void Copy(char* to, const char* from, uint64_t size) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

namespace {

// struct _fpx_sw_bytes, where the host says how long the FP state in the frame is.
struct FpxSwBytes {
  uint32_t magic1, extended_size;
  uint64_t xfeatures;
  uint32_t xstate_size;
};
constexpr uint64_t kSwReservedOffset = 464, kSwReservedEnd = 512;

char* XstateOf(ucontext_t* context) { return reinterpret_cast<char*>(context->uc_mcontext.fpregs); }
uint64_t XstateSizeOf(char* xstate) {
  uint64_t size = reinterpret_cast<FpxSwBytes*>(xstate + kSwReservedOffset)->xstate_size;
  return size < kStackSize ? size : kStackSize;
}

int64_t SaveXstate(Slot* slot, ucontext_t* context) {
  char* xstate = XstateOf(context);
  uint64_t size = XstateSizeOf(xstate);
  char* window = WindowOf(slot) + kXstateOffset;
  Copy(window, xstate, size);
  __builtin_memset(window + kSwReservedOffset, 0, kSwReservedEnd - kSwReservedOffset);
  return static_cast<int64_t>(size);
}

// The host's own marks in the frame stay: they say how rt_sigreturn is to read it.
int64_t LoadXstate(Slot* slot, ucontext_t* context, uint64_t size) {
  char* xstate = XstateOf(context);
  const char* window = WindowOf(slot) + kXstateOffset;
  if (size != XstateSizeOf(xstate)) return -1;
  Copy(xstate, window, kSwReservedOffset);
  Copy(xstate + kSwReservedEnd, window + kSwReservedEnd, size - kSwReservedEnd);
  return 0;
}

int64_t MapFile(const Command& command) {
  const uint64_t* a = command.arguments;
  long result =
      ShimGate(SYS_mmap, Load(a[0]), Load(a[1]), Load(a[2]), Load(a[3]), kStubFd, Load(a[5]));
  ShimGate(SYS_close, kStubFd);
  return result;
}

int64_t HostCall(const Command& command) {
  const uint64_t* a = command.arguments;
  return ShimGate(static_cast<long>(Load(command.number)), Load(a[0]), Load(a[1]), Load(a[2]),
                  Load(a[3]), Load(a[4]), Load(a[5]));
}

// In the child: nothing of the slots is mapped, so only the stack and registers can be used.
void AdoptChild(uint64_t token) {
  ShimGate(SYS_mmap, kSlots, kSlotsSize, PROT_READ | PROT_WRITE | ForkToken::InProtection(token),
           MAP_SHARED | MAP_FIXED, kStubFd | ForkToken::InDescriptor(token), 0);
  ShimGate(SYS_madvise, kSlots, kSlotsSize, MADV_DONTFORK);
  ShimGate(SYS_close, kStubFd);
}

int64_t Fork(Slot* slot) {
  uint64_t token = Load(slot->command.token);
  long pid = ShimGate(SYS_clone, kForkFlags, 0, 0, reinterpret_cast<uint64_t>(&slot->turn), 0);
  if (pid == 0) AdoptChild(token);
  return pid;
}

// The new thread's stack gets a copy of this thread's frame: same registers, same FP state.
int64_t CloneThread(ucontext_t* context, uint32_t index) {
  index &= kMaxThreads - 1;
  uint64_t mine = StackAddress(SlotIndexOf(context)), other = StackAddress(index);
  uint64_t delta = other - mine;
  uint64_t frame = reinterpret_cast<uint64_t>(context);
  Copy(reinterpret_cast<char*>(frame + delta), reinterpret_cast<char*>(frame),
       mine + kStackSize - frame);
  auto* copy = reinterpret_cast<ucontext_t*>(frame + delta);
  copy->uc_mcontext.fpregs =
      reinterpret_cast<fpregset_t>(reinterpret_cast<uint64_t>(context->uc_mcontext.fpregs) + delta);
  copy->uc_stack = {reinterpret_cast<void*>(other), 0, kStackSize};
  // ShimGate returns through the new stack, to an entry that finds the context next on it.
  auto* stack = reinterpret_cast<uint64_t*>(((frame + delta) & ~uint64_t{63}) - 64);
  stack[0] = reinterpret_cast<uint64_t>(&ShimThreadEntry);
  stack[1] = reinterpret_cast<uint64_t>(copy);
  return ShimGate(SYS_clone, kThreadFlags, reinterpret_cast<uint64_t>(stack), 0,
                  reinterpret_cast<uint64_t>(&SlotAt(index)->turn), 0);
}

int64_t Obey(Slot* slot, ucontext_t* context, CommandKind kind) {
  const Command& command = slot->command;
  switch (kind) {
    case CommandKind::kSaveXstate:
      return SaveXstate(slot, context);
    case CommandKind::kLoadXstate:
      return LoadXstate(slot, context, Load(command.arguments[0]));
    case CommandKind::kFork:
      return Fork(slot);
    case CommandKind::kCloneThread:
      return CloneThread(context, static_cast<uint32_t>(Load(command.arguments[0])));
    default:
      return -1;
  }
}

PatchSite LoadPatchSite(const Command& command) {
  PatchSite site;
  Copy(reinterpret_cast<char*>(&site), reinterpret_cast<const char*>(command.arguments),
       sizeof(site));
  return site;
}

}  // namespace

bool ObeyWithoutFrame(Slot* slot, CommandKind kind, int64_t* result) {
  const Command& command = slot->command;
  switch (kind) {
    case CommandKind::kHostCall:
      *result = HostCall(command);
      return true;
    case CommandKind::kMapFile:
      *result = MapFile(command);
      return true;
    case CommandKind::kExitThread:
      *result = ShimGate(SYS_exit, 0);
      return true;
    case CommandKind::kSetCaptures:
      *result = SetCaptures(WindowOf(slot), Load(command.arguments[0]));
      return true;
    case CommandKind::kPatchSite:
      *result = Patch(LoadPatchSite(command));
      return true;
    default:
      return false;
  }
}

void ServeCommands(Slot* slot, ucontext_t* context, bool report) {
  while (true) {
    if (report) {
      GiveTurn(slot);
      AwaitTurn(slot);
    }
    CommandKind kind = slot->command.kind;
    if (kind == CommandKind::kResume) break;
    int64_t result;
    if (!ObeyWithoutFrame(slot, kind, &result)) result = Obey(slot, context, kind);
    slot->report.kind = ReportKind::kDone;
    slot->report.result = result;
    report = true;
  }
  WriteResults(slot);
  LoadRegisters(slot, context);
}

// A new thread begins where its creator stood: in the handler, waiting for a command.
extern "C" void ShimThreadMain(ucontext_t* context) {
  Slot* slot = SlotAt(SlotIndexOf(context));
  slot->report.kind = ReportKind::kDone;
  slot->report.result = 0;
  ServeCommands(slot, context, /*report=*/true);
}

}  // namespace redoubt::platform::seccomp_trap

// What the compiler may call on its own.
extern "C" void* memset(void* to, int value, size_t size) {
  void* start = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
  return start;
}
extern "C" void* memcpy(void* to, const void* from, size_t size) {
  void* start = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return start;
}
