// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// A call from a patched site, between patched_call.S's saving and loading of registers.
#include <errno.h>

#include "platform/seccomp_trap/shim/shim.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr uint64_t kTrapFlag = 0x100;

// What `jmp` and `mov` cannot restore needs rt_sigreturn.
bool NeedsFrame(const Registers& r) {
  return (r.rflags & kTrapFlag) || r.cs != kUserCodeSegment || r.gs_base != 0;
}

void Serve(Slot* slot) {
  Registers& r = slot->registers;
  while (true) {
    GiveTurn(slot);
    AwaitTurn(slot);
    CommandKind kind = slot->command.kind;
    int64_t result;
    if (kind == CommandKind::kResume) {
      if (NeedsFrame(r)) ShimNeedFrame();
      WriteResults(slot);
      break;
    }
    if (!ObeyWithoutFrame(slot, kind, &result)) ShimNeedFrame();
    slot->report.kind = ReportKind::kDone;
    slot->report.result = result;
  }
  TellFromNativeCall(r);
  if (r.fs_base != ReadFsBase()) WriteFsBase(r.fs_base);
}

}  // namespace

extern "C" void ShimServePatched(Slot* slot) {
  Registers& r = slot->registers;
  if (!(r.rflags & kTrapFlag) &&
      AnswerLocally(slot, {r.orig_rax, r.rdi, r.rsi, r.rdx, r.r10}, &r.rax)) {
    return;
  }
  r.rax = static_cast<uint64_t>(-ENOSYS);
  slot->report.kind = ReportKind::kSyscall;
  slot->report.patched = 1;
  r.cs = kUserCodeSegment, r.ss = kUserStackSegment;
  r.ds = r.es = r.fs = r.gs = 0;
  r.fs_base = ReadFsBase(), r.gs_base = 0;
  CaptureCall(slot);
  Serve(slot);
}

extern "C" void ShimPatchedInterrupted(Slot* slot) {
  slot->interrupted = 0;
  slot->report.kind = ReportKind::kInterrupted;
  slot->registers.orig_rax = ~uint64_t{0};
  Serve(slot);
}

}  // namespace redoubt::platform::seccomp_trap
