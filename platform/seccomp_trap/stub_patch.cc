// SPDX-License-Identifier: Apache-2.0
//
// The sentry's part in patching a call site: whether to, and making its page writable meanwhile.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>

#include "platform/seccomp_trap/stub_context.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr uint64_t kSiteSize = 7;     // mov $number, %eax; syscall
constexpr uint64_t kFetchBlock = 16;  // Code that one fetch reads as a whole.
constexpr uint64_t kVdsoSize = 64 * 1024;

bool IsSite(const std::array<uint8_t, kSiteSize>& code, uint64_t number) {
  uint32_t immediate;
  std::memcpy(&immediate, &code[1], sizeof(immediate));
  return code[0] == 0xb8 && code[5] == 0x0f && code[6] == 0x05 &&
         immediate == static_cast<uint32_t>(number);
}

}  // namespace

void StubContext::PatchIfHot(const Report& report) {
  if (report.kind != ReportKind::kSyscall || report.patched != 0) return;
  uint64_t end = registers_.rip, start = end - kSiteSize;
  bool guest = start >= kGuestStart && (end <= kSlots || start >= kHighEnd) && end <= kGuestEnd;
  if (!guest || !process().call_sites().CountTrap(end)) return;
  if (start / kPageSize != (end - 1) / kPageSize) return;
  if (end > machine_.vdso_address && start < machine_.vdso_address + kVdsoSize) return;
  // Another thread could see half of a change that its processor fetches in two parts.
  bool one_fetch = start / kFetchBlock == (end - 1) / kFetchBlock;
  if (!one_fetch && !process().HasOneThread()) return;
  std::array<uint8_t, kSiteSize> code;
  Result<size_t> read = process().CopyIn(start, std::as_writable_bytes(std::span(code)));
  if (!read.ok() || *read != kSiteSize || !IsSite(code, registers_.orig_rax)) return;
  PatchPage(start & ~(kPageSize - 1), end, registers_.orig_rax);
}

void StubContext::PatchPage(uint64_t page, uint64_t end, uint64_t number) {
  if (!process().call_sites().MayPatch(page, page + kPageSize)) return;
  // A page that the guest may write is left alone: it may be generating code. EINVAL: it may not.
  SyscallResult writable =
      HostCall({.number = SYS_madvise, .arguments = {page, kPageSize, MADV_POPULATE_WRITE}});
  if (!writable.Is(EINVAL)) return;
  constexpr uint64_t kCode = PROT_READ | PROT_EXEC;
  auto protect = [&](uint64_t protection) {
    return HostCall({.number = SYS_mprotect, .arguments = {page, kPageSize, protection}});
  };
  if (!protect(kCode | PROT_WRITE).ok()) return;
  (void)Transact({.kind = CommandKind::kPatchSite, .arguments = {end, number}});
  (void)protect(kCode);
}

void StubContext::NoteSharedMapping(const HostCallRequest& request, const SyscallResult& result) {
  if (!result.ok()) return;
  const auto& a = request.arguments;
  if (request.number == SYS_mmap && (a[3] & MAP_SHARED)) {
    process().call_sites().AddShared(*result, *result + a[1]);
  } else if (request.number == SYS_mremap) {
    process().call_sites().Moved(a[0], a[0] + a[1]);
  }
}

}  // namespace redoubt::platform::seccomp_trap
