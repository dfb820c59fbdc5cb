// SPDX-License-Identifier: Apache-2.0
//
// SHIM CODE: runs inside the guest's address space, under the guest's control.
//
// Fetches what a call reads into the window, finds out what it may write, and writes it when the
// sentry has answered. What faults is not captured: the sentry finds the error by itself then.
#include <errno.h>
#include <signal.h>

#include "platform/seccomp_trap/shim/shim.h"

namespace redoubt::platform::seccomp_trap {
namespace {

using Kind = CapturedArgument::Kind;

// The zygote's copy of the sentry's table; every stub inherits it.
CallCapture table[kMaxCapturedCalls];

struct Fetch {
  Slot* slot;
  uint32_t used = 0;  // Of the window's part for what calls read.
};

bool MayWrite(uint64_t address, uint64_t size) {
  uint64_t last = address + size - 1;
  if (!ShimProbe(reinterpret_cast<void*>(last))) return false;
  for (; address <= last; address = (address & ~(kPageSize - 1)) + kPageSize) {
    if (!ShimProbe(reinterpret_cast<void*>(address))) return false;
  }
  return true;
}

void Note(Slot* slot, uint64_t address, uint64_t size, uint32_t offset, bool writable) {
  Capture& capture = slot->capture;
  uint32_t index = capture.count++;
  capture.spans[index] = {address, static_cast<uint32_t>(size), offset, writable};
}

void FetchOne(Fetch& fetch, const CapturedArgument& argument, const uint64_t* arguments) {
  uint64_t address = arguments[argument.argument];
  if (address == 0) return;
  char* to = WindowOf(fetch.slot) + fetch.used;
  uint64_t room = kCaptureSize - fetch.used;
  if (argument.kind == Kind::kString) {
    uint64_t limit = room < kMaxCapturedString ? room : kMaxCapturedString;
    uint64_t size = ShimCopyString(to, reinterpret_cast<const char*>(address), limit);
    if (size == 0) return;
    Note(fetch.slot, address, size, fetch.used, false);
    fetch.used += static_cast<uint32_t>(size);
    return;
  }
  uint64_t count =
      argument.count_argument == CapturedArgument::kOne ? 1 : arguments[argument.count_argument];
  if (count == 0 || count > kCaptureSize) return;
  uint64_t size = count * argument.size;
  if (size > kCaptureSize || address + size < address) return;
  bool writable = argument.kind != Kind::kIn;
  if (writable && !MayWrite(address, size)) return;
  uint32_t offset = kNotFetched;
  if (argument.kind != Kind::kOut) {
    if (size > room || ShimCopyUser(to, reinterpret_cast<const void*>(address), size) != 0) return;
    offset = fetch.used;
    fetch.used += static_cast<uint32_t>(size);
  }
  Note(fetch.slot, address, size, offset, writable);
}

}  // namespace

int64_t SetCaptures(const char* from, uint64_t count) {
  if (count > kMaxCapturedCalls) return -1;
  Copy(reinterpret_cast<char*>(table), from, count * sizeof(CallCapture));
  return 0;
}

void CaptureCall(Slot* slot) {
  const Registers& r = slot->registers;
  slot->capture.count = 0;
  slot->capture.write_count = 0;
  if (r.orig_rax >= kMaxCapturedCalls) return;
  const CallCapture& call = table[r.orig_rax];
  if (call.arguments[0].kind == Kind::kNone) return;
  const uint64_t arguments[6] = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
  Fetch fetch{.slot = slot};
  for (const CapturedArgument& argument : call.arguments) {
    if (argument.kind == Kind::kNone) break;
    FetchOne(fetch, argument, arguments);
  }
}

void WriteResults(Slot* slot) {
  Capture& capture = slot->capture;
  for (uint32_t i = 0; i < capture.write_count && i < kMaxWrites; ++i) {
    const Capture::Write& write = capture.writes[i];
    const char* from = WindowOf(slot) + kResultsOffset + write.offset;
    if (ShimCopyUser(reinterpret_cast<void*>(write.address), from, write.size) != 0) {
      // It could be written when the call was made: another thread has unmapped it since.
      slot->registers.rax = static_cast<uint64_t>(-EFAULT);
    }
  }
  capture.write_count = 0;
}

bool RecoverUserAccess(int signal, greg_t* g) {
  if (signal != SIGSEGV && signal != SIGBUS) return false;
  auto rip = static_cast<uint64_t>(g[REG_RIP]);
  auto is = [&](const char* label) { return rip == reinterpret_cast<uint64_t>(label); };
  if (is(ShimCopyUserAccess)) {
    g[REG_RIP] = reinterpret_cast<greg_t>(ShimCopyUserFault);
  } else if (is(ShimCopyStringAccess) || is(ShimProbeAccess)) {
    g[REG_RIP] = reinterpret_cast<greg_t>(ShimFault);
  } else {
    return false;
  }
  return true;
}

}  // namespace redoubt::platform::seccomp_trap
