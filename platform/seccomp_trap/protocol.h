// SPDX-License-Identifier: Apache-2.0
//
// What a stub thread and the sentry say to each other, in the thread's slot of shared memory.
//
// `turn` says whose move it is. The stub fills in a report, gives the turn to the sentry and waits;
// the sentry fills in a command, gives the turn back and waits. The host writes kGone when the
// thread ends (it is the thread's clear_child_tid), so even a thread that leaves behind the
// sentry's back is noticed.
//
// The guest can write every byte of this at any time. The sentry copies a report once and checks
// the copy; a command's result is a claim of the guest. The shim may trust it: what lies here can
// only harm the process that wrote it.
#ifndef PLATFORM_SECCOMP_TRAP_PROTOCOL_H_
#define PLATFORM_SECCOMP_TRAP_PROTOCOL_H_

#include <cstddef>
#include <cstdint>

#include "platform/arch/registers.h"
#include "platform/call_capture.h"
#include "platform/local_answers.h"
#include "platform/seccomp_trap/layout.h"

namespace redoubt::platform::seccomp_trap {

// The host signal that means "leave guest code". Guests never get host signals of their own.
inline constexpr int kInterruptSignal = 23;  // SIGURG: ignored by default, never queued twice.

enum Turn : uint32_t {
  kGone = 0,  // Written by the host.
  kStub = 1,
  kSentry = 2,
};

enum class ReportKind : uint32_t {
  kNone = 0,
  kSyscall = 1,      // In the registers, as rt_sigframe shows them.
  kFault = 2,        // With signal, signal_code, fault_address, trap_number, error_code.
  kInterrupted = 3,  // By kInterruptSignal.
  kDone = 4,         // A command other than kResume is done; `result`.
};

struct Report {
  ReportKind kind;
  int32_t signal;
  int32_t signal_code;
  uint32_t patched;  // kSyscall: came from a patched site.
  uint64_t fault_address;
  uint64_t trap_number;
  uint64_t error_code;
  int64_t result;
};

enum class CommandKind : uint32_t {
  kNone = 0,
  kResume = 1,       // Load the registers and run the guest.
  kHostCall = 2,     // number(arguments).
  kMapFile = 3,      // mmap(arguments), which has kStubFd; then close kStubFd.
  kSaveXstate = 4,   // Copy the FP state to the window; `result` is its size.
  kLoadXstate = 5,   // Copy arguments[0] bytes of the window over the FP state.
  kFork = 6,         // Native clone; the child maps its own slots, found by `token`.
  kCloneThread = 7,  // A thread with slot arguments[0].
  kExitThread = 8,
  kPatchSite = 9,     // A PatchSite in the arguments, whose page is writable now.
  kSetCaptures = 10,  // The window holds CallCaptures of the first arguments[0] calls.
};

struct Command {
  CommandKind kind = CommandKind::kNone;
  uint32_t reserved = 0;
  uint64_t number = 0;
  uint64_t arguments[6] = {};
  uint64_t token = 0;
};

// A call site to patch: `moved` instruction, `syscall`, `after`.
//
//   mov $number, %eax      5 bytes and 2: the jump has room, and old `syscall` becomes undefined
//   mov 8(%rsp), %r9       the same, in the C library's syscall(): any number
//   mov $number, %rax      7 bytes: the jump has room, `syscall` stays
//   xor %eax, %eax         2 bytes: a short jump to the jump, which lies in padding nearby
struct PatchSite {
  uint64_t site;   // Where the moved instruction is.
  uint64_t after;  // Where the guest goes on.
  uint64_t jump;   // Where kSiteJumpSize bytes may be overwritten: `site`, or padding.
  uint64_t moved_code;
  uint32_t moved_size;
  uint32_t any_number;  // The moved instruction does not set rax.
};
inline constexpr uint64_t kSiteJumpSize = 7;
inline constexpr uint64_t kSyscallSize = 2;
static_assert(sizeof(PatchSite) <= sizeof(Command::arguments));

// What the shim has fetched with a call, and what the sentry wants written when the guest goes on.
// All data is in the window.
inline constexpr uint32_t kMaxCapturedCalls = 512;
inline constexpr uint64_t kCaptureSize = 72 * 1024;  // A usual large buffer, and small things.
inline constexpr uint64_t kMaxCapturedString = 4096;
inline constexpr uint32_t kMaxWrites = 8;
inline constexpr uint32_t kNotFetched = ~uint32_t{0};
struct Capture {
  struct Span {
    uint64_t address;
    uint32_t size;
    uint32_t offset;    // In the window; kNotFetched: the call only writes there.
    uint32_t writable;  // Has been probed for writing.
  };
  struct Write {
    uint64_t address;
    uint32_t size;
    uint32_t offset;  // From kResultsOffset.
  };
  uint32_t count;
  uint32_t write_count;
  Span spans[CallCapture::kMaxArguments];
  Write writes[kMaxWrites];
};

// What the shim answers by itself. It may block signals beyond those of answers.signal_mask, which
// is the sentry's belief; to unblock one of these is the sentry's business, who may have kept
// signals back. A signal that the guest has blocked here interrupts it, no more.
struct LocalState {
  uint32_t enabled;
  LocalAnswers answers;
  uint64_t signal_mask;
  uint64_t robust_list;
  uint64_t trapped;  // The shim's: calls that came by signal.
};

struct Slot {
  // The hand-off. A waiter says that it sleeps, so that the other side can save a system call.
  alignas(64) uint32_t turn;
  uint32_t sentry_sleeps;
  uint32_t stub_sleeps;
  uint32_t interrupted;  // The shim's: an interrupt came while it served a patched call.
  uint64_t call_stack;   // The shim's: where patched calls have their stack.
  // The spinning gear (placement.h): for how many cycles the stub is to look for its turn before it
  // sleeps; when it gave the turn away.
  uint64_t spin_cycles;
  uint64_t posted_at;
  uint64_t mark;  // kSlotMark: a patched call looks whether %gs leads here, or is the guest's own.
  alignas(64) Report report;
  alignas(64) Command command;
  alignas(64) Registers registers;
  alignas(64) Capture capture;
  alignas(64) LocalState local;
};
inline constexpr uint64_t kSlotMark = 0x5d0b7e3a;
inline constexpr uint64_t kWindowOffset = kPageSize;
inline constexpr uint64_t kWindowSize = kSlotSize - kWindowOffset;
// The window's parts: what calls read, what they write, FP state.
inline constexpr uint64_t kResultsOffset = kCaptureSize;
inline constexpr uint64_t kXstateOffset = 2 * kCaptureSize;
static_assert(kXstateOffset < kWindowSize);
static_assert(kMaxCapturedCalls * sizeof(CallCapture) <= kWindowSize);
static_assert(sizeof(Slot) <= kWindowOffset);
// As in shim/patched_call.S.
static_assert(offsetof(Slot, interrupted) == 12 && offsetof(Slot, call_stack) == 16);
static_assert(offsetof(Slot, mark) == 40 && offsetof(Slot, registers) == 256);

// What the zygote says of itself in its window before the filter is there.
struct ShimInfo {
  uint64_t gate;            // After the shim's only `syscall`, where the filter sees host calls.
  uint64_t guest_call;      // A `syscall` that runs as guest code: for calls that may block.
  uint64_t guest_call_end;  // After the `syscall` that follows it, which traps.
  uint64_t start_stack;     // rsp at the start: argc, argv, environment, auxiliary vector.
};
// The number of the call that follows guest_call. Unknown to every kernel.
inline constexpr uint64_t kGuestCallDone = 0x3fffff00;

// The number by which a patched call asks for a signal frame. Never leaves the shim.
inline constexpr uint64_t kNeedFrame = 0x3fffff01;

// A fork's child names itself by a token in bits of mmap's arguments that the host ignores: the
// upper halves of `prot` and `fd`, which are 32-bit there.
struct ForkToken {
  static constexpr uint64_t kMask = 0xffffffff00000000;
  static constexpr uint64_t InProtection(uint64_t token) { return token & kMask; }
  static constexpr uint64_t InDescriptor(uint64_t token) { return token << 32; }
  static constexpr uint64_t FromArguments(uint64_t protection, uint64_t descriptor) {
    return (protection & kMask) | descriptor >> 32;
  }
};

// clone(2) flags of a fork and of a thread: the filter's listener compares all arguments.
inline constexpr uint64_t kForkFlags = 0x8000 /* PARENT */ | 0x200000 /* CHILD_CLEARTID */;
inline constexpr uint64_t kThreadFlags = 0x100 /* VM */ | 0x200 /* FS */ | 0x400 /* FILES */ |
                                         0x800 /* SIGHAND */ | 0x10000 /* THREAD */ |
                                         0x40000 /* SYSVSEM */ | 0x200000 /* CHILD_CLEARTID */;

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_PROTOCOL_H_
