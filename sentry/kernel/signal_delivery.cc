// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/signal_delivery.h"

#include <cstring>
#include <span>

#include "platform/arch/xstate.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/kernel/task_access.h"

namespace redoubt::kernel {

namespace {

namespace arch = platform::arch;
using platform::Registers;

constexpr uint64_t kRedZone = 128;          // Below %rsp, the ABI lets leaf functions use it.
constexpr uint64_t kMaxFrameGap = 64 + 16;  // Between a frame and its FP state, by alignment.
constexpr uint64_t kDirectionFlag = 0x400, kResumeFlag = 0x10000, kTrapFlag = 0x100;

bool OnSignalStack(const abi::SignalStack& stack, uint64_t sp) {
  if ((stack.flags & abi::kSsAutodisarm) != 0) return false;
  return sp > stack.address && sp - stack.address <= stack.size;
}

// Where the frame may begin, growing down (get_sigframe()). EFAULT on a full signal stack.
Result<uint64_t> FrameTop(Task& task, const SignalAction& action, size_t needed) {
  uint64_t sp = task.registers().rsp - kRedZone;
  const abi::SignalStack& stack = task.signal_stack();
  bool on_stack = OnSignalStack(stack, task.registers().rsp);
  if ((action.flags & SA_ONSTACK) != 0 && stack.size != 0 && !on_stack) {
    sp = stack.address + stack.size;
    on_stack = true;
  }
  // A handler that overflows its alternate stack gets SIGSEGV, not someone else's memory.
  if (on_stack && stack.size != 0 && (sp < stack.address + needed)) return Errno(EFAULT);
  if (sp < needed) return Errno(EFAULT);
  return sp;
}

abi::SignalContext SaveRegisters(const Registers& registers, const platform::Event& fault,
                                 SignalSet mask, uint64_t fpstate) {
  abi::SignalContext context{};
  context.r8 = registers.r8, context.r9 = registers.r9, context.r10 = registers.r10;
  context.r11 = registers.r11, context.r12 = registers.r12, context.r13 = registers.r13;
  context.r14 = registers.r14, context.r15 = registers.r15;
  context.rdi = registers.rdi, context.rsi = registers.rsi, context.rbp = registers.rbp;
  context.rbx = registers.rbx, context.rdx = registers.rdx, context.rax = registers.rax;
  context.rcx = registers.rcx, context.rsp = registers.rsp, context.rip = registers.rip;
  context.rflags = registers.rflags;
  context.cs = static_cast<uint16_t>(registers.cs);
  context.ss = static_cast<uint16_t>(registers.ss);
  context.error_code = fault.error_code;
  context.trap_number = fault.trap_number;
  context.cr2 = fault.fault_address;
  context.old_mask = mask.bits();
  context.fpstate = fpstate;
  return context;
}

void RestoreRegisters(Registers& registers, const abi::SignalContext& context) {
  registers.r8 = context.r8, registers.r9 = context.r9, registers.r10 = context.r10;
  registers.r11 = context.r11, registers.r12 = context.r12, registers.r13 = context.r13;
  registers.r14 = context.r14, registers.r15 = context.r15;
  registers.rdi = context.rdi, registers.rsi = context.rsi, registers.rbp = context.rbp;
  registers.rbx = context.rbx, registers.rdx = context.rdx, registers.rax = context.rax;
  registers.rcx = context.rcx, registers.rsp = context.rsp, registers.rip = context.rip;
  registers.rflags = (registers.rflags & ~platform::kGuestSettableFlags) |
                     (context.rflags & platform::kGuestSettableFlags);
  // Only 64-bit code: a frame cannot switch to compatibility mode.
  registers.cs = platform::kUserCodeSegment;
  registers.ss = platform::kUserStackSegment;
  registers.orig_rax = ~uint64_t{0};
}

}  // namespace

Result<void> BuildSignalFrame(Task& task, const SignalInfo& info, const SignalAction& action,
                              SignalSet old_mask) {
  if ((action.flags & abi::kSaRestorer) == 0) return Errno(EFAULT);
  size_t fp_size = arch::SignalXstateSize();
  uint64_t sp = TRY(FrameTop(task, action, fp_size + sizeof(abi::SignalFrame) + 128));
  uint64_t fpstate = (sp - fp_size) & ~uint64_t{63};
  uint64_t frame_address = ((fpstate - sizeof(abi::SignalFrame)) & ~uint64_t{15}) - 8;

  // Frame and FP state lie close together: one copy takes both.
  size_t gap = fpstate - frame_address;
  std::span<std::byte> bytes = task.IoBuffer(gap + fp_size);
  std::memset(bytes.data(), 0, gap);
  std::span<std::byte> image = bytes.subspan(gap);
  TRY(task.context().GetXstate(image.first(arch::XstateSize())));
  arch::FinishSignalXstate(image);

  Registers& registers = task.registers();
  abi::SignalFrame frame{};
  frame.restorer = action.restorer;
  frame.context.flags = abi::kUcFpXstate | abi::kUcSigcontextSs | abi::kUcStrictRestoreSs;
  frame.context.stack = task.signal_stack();
  if (OnSignalStack(task.signal_stack(), registers.rsp)) frame.context.stack.flags |= SS_ONSTACK;
  frame.context.context = SaveRegisters(registers, TaskAccess::LastFault(task), old_mask, fpstate);
  frame.context.mask = old_mask;
  frame.info = info;
  std::memcpy(bytes.data(), &frame, sizeof(frame));
  TRY(task.CopyOut(frame_address, std::span<const std::byte>(bytes)));

  if ((task.signal_stack().flags & abi::kSsAutodisarm) != 0) {
    task.signal_stack() = abi::SignalStack{};
  }
  registers.rdi = static_cast<uint64_t>(info.signal);
  registers.rsi = frame_address + offsetof(abi::SignalFrame, info);
  registers.rdx = frame_address + offsetof(abi::SignalFrame, context);
  registers.rax = 0;
  registers.rip = action.handler;
  registers.rsp = frame_address;
  registers.rflags &= ~(kDirectionFlag | kResumeFlag | kTrapFlag);
  registers.cs = platform::kUserCodeSegment;
  registers.ss = platform::kUserStackSegment;
  registers.orig_rax = ~uint64_t{0};
  return {};
}

namespace {

Result<void> RestoreFrame(Task& task) {
  // The handler's `ret` has popped the restorer's address.
  uint64_t address = task.registers().rsp - 8;
  // Most frames lie as BuildSignalFrame laid them, FP state and all: one copy takes both.
  size_t fp_size = arch::SignalXstateSize();
  std::span<std::byte> bytes = task.IoBuffer(sizeof(abi::SignalFrame) + kMaxFrameGap + fp_size);
  size_t copied = TRY(task.CopyInSome(address, bytes));
  abi::SignalFrame frame;
  if (copied < sizeof(frame)) return Errno(EFAULT);
  std::memcpy(&frame, bytes.data(), sizeof(frame));
  uint64_t fpstate = frame.context.context.fpstate;
  std::span<std::byte> image = bytes.first(fp_size);
  if (fpstate == 0) {
    arch::InitXstate(image.first(arch::XstateSize()));
  } else {
    uint64_t gap = fpstate - address;
    if (fpstate > address && gap <= copied && copied - gap >= fp_size) {
      image = bytes.subspan(gap, fp_size);
    } else {
      TRY(task.CopyIn(fpstate, image));
    }
    TRY(arch::ParseSignalXstate(image));
  }
  TRY(task.context().SetXstate(image.first(arch::XstateSize())));
  RestoreRegisters(task.registers(), frame.context.context);
  task.SetSignalMask(frame.context.mask);
  // As sigaltstack(2) would set it; a bad one is left out without an error (restore_altstack()).
  abi::SignalStack stack = frame.context.stack;
  if (!OnSignalStack(task.signal_stack(), task.registers().rsp)) {
    stack.flags &= abi::kSsAutodisarm | SS_DISABLE;
    bool disabled = (stack.flags & SS_DISABLE) != 0;
    if (disabled) stack = abi::SignalStack{};
    if (disabled || stack.size >= abi::kMinimumSignalStack) task.signal_stack() = stack;
  }
  return {};
}

}  // namespace

SyscallResult Task::SignalReturn() {
  Result<void> result = RestoreFrame(*this);
  if (!result.ok()) {
    ForceSignal(*this, KernelSignal(SIGSEGV));
    return 0UL;
  }
  return registers().rax;
}

}  // namespace redoubt::kernel
