// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// A call from a patched site, between patched_call.S's saving and loading of registers.
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
  slot->report.kind = ReportKind::kSyscall;
  slot->report.patched = 1;
  Registers& r = slot->registers;
  r.cs = kUserCodeSegment, r.ss = kUserStackSegment;
  r.ds = r.es = r.fs = r.gs = 0;
  r.fs_base = ReadFsBase(), r.gs_base = 0;
  Serve(slot);
}

extern "C" void ShimPatchedInterrupted(Slot* slot) {
  slot->interrupted = 0;
  slot->report.kind = ReportKind::kInterrupted;
  slot->registers.orig_rax = ~uint64_t{0};
  Serve(slot);
}

}  // namespace redoubt::platform::seccomp_trap
