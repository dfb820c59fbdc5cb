// SPDX-License-Identifier: Apache-2.0
//
// The sentry's part in patching a call site: whether to, and making its page writable meanwhile.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <optional>

#include "platform/seccomp_trap/stub_context.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr uint64_t kFetchBlock = 16;  // Code that one fetch reads as a whole.
constexpr uint64_t kVdsoSize = 64 * 1024;

// The code around a call, as far as one page has it.
struct Code {
  uint64_t start;  // The address of bytes[0].
  std::array<uint8_t, 64> bytes;
  size_t size;
  uint64_t call;  // The address of `syscall`.

  // Whether `pattern` (-1 is any byte) lies at `offset` from the call.
  bool Has(int64_t offset, std::initializer_list<int> pattern) const {
    uint64_t at = call + static_cast<uint64_t>(offset) - start;
    if (at > size || pattern.size() > size - at) return false;
    return std::equal(pattern.begin(), pattern.end(), bytes.begin() + at,
                      [](int want, uint8_t is) { return want < 0 || want == is; });
  }
  uint64_t Word(int64_t offset, size_t count) const {
    uint64_t word = 0;
    std::memcpy(&word, &bytes[call + static_cast<uint64_t>(offset) - start], count);
    return word;
  }
};

PatchSite SiteOf(const Code& code, uint32_t moved_size) {
  uint64_t site = code.call - moved_size;
  return {.site = site,
          .after = code.call + kSyscallSize,
          .jump = site,
          .moved_code = code.Word(-static_cast<int64_t>(moved_size), moved_size),
          .moved_size = moved_size,
          .any_number = 0};
}

// How the C library's read() calls: `xor %eax, %eax; syscall; cmp $-4096, %rax; ja ...; ret`, then
// padding to the next branch target, which nothing reaches.
std::optional<PatchSite> ZeroSiteOf(const Code& code) {
  constexpr int kAfterCompare = 8;
  if (!code.Has(-2, {0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, -1, -1, -1, -1})) return std::nullopt;
  int padding = kAfterCompare;
  if (code.Has(padding, {0x77, -1, 0xc3})) {
    padding += 3;
  } else if (code.Has(padding, {0x0f, 0x87, -1, -1, -1, -1, 0xc3})) {
    padding += 7;
  } else {
    return std::nullopt;
  }
  // nopw %cs:0(%rax,%rax,1) or nopl 0(%rax).
  if (!code.Has(padding, {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}) &&
      !code.Has(padding, {0x0f, 0x1f, 0x80, 0, 0, 0, 0})) {
    return std::nullopt;
  }
  PatchSite site = SiteOf(code, 2);
  site.jump = code.call + static_cast<uint64_t>(padding);
  return site;
}

std::optional<PatchSite> FindSite(const Code& code, uint64_t number) {
  auto low = static_cast<uint32_t>(number);
  if (code.Has(-5, {0xb8, -1, -1, -1, -1}) && code.Word(-4, 4) == low) return SiteOf(code, 5);
  if (code.Has(-7, {0x48, 0xc7, 0xc0, -1, -1, -1, -1}) && code.Word(-4, 4) == low) {
    return SiteOf(code, 7);
  }
  // mov %r9, %r8; mov 8(%rsp), %r9
  if (code.Has(-8, {0x4d, 0x89, 0xc8, 0x4c, 0x8b, 0x4c, 0x24, 0x08})) {
    PatchSite site = SiteOf(code, 5);
    site.any_number = 1;
    return site;
  }
  return number == SYS_read ? ZeroSiteOf(code) : std::nullopt;
}

bool InOneFetch(uint64_t start, uint64_t size) {
  return start / kFetchBlock == (start + size - 1) / kFetchBlock;
}

// Whether another thread may run through while this is written: it must not see half of a change.
bool IsSafeWithThreads(const PatchSite& site) {
  if (site.jump != site.site) return InOneFetch(site.site, site.moved_size);
  return InOneFetch(site.site, site.after - site.site);
}

// The filter lets most calls of such a site pass (filter.h). Patched, it would bring all of them
// here.
bool IsMostlyNative(uint64_t number) {
  switch (static_cast<uint32_t>(number)) {
    case SYS_futex:
    case SYS_mmap:
    case SYS_munmap:
    case SYS_mprotect:
    case SYS_madvise:
      return true;
    default:
      return false;
  }
}

}  // namespace

void StubContext::PatchIfHot(const Report& report) {
  if (report.kind != ReportKind::kSyscall || report.patched != 0) return;
  if (IsMostlyNative(registers_.orig_rax)) return;
  uint64_t after = registers_.rip, call = after - kSyscallSize;
  bool guest = call >= kGuestStart && (after <= kSlots || call >= kHighEnd) && after <= kGuestEnd;
  if (!guest || !process().call_sites().CountTrap(after)) return;
  if (after > machine_.vdso_address && call < machine_.vdso_address + kVdsoSize) return;
  constexpr uint64_t kBefore = 16, kAfter = 32;
  uint64_t page = call & ~(kPageSize - 1);
  Code code{.start = std::max(call - kBefore, page), .bytes = {}, .size = 0, .call = call};
  code.size = std::min(call + kAfter, page + kPageSize) - code.start;
  Result<size_t> read =
      process().CopyIn(code.start, std::as_writable_bytes(std::span(code.bytes).first(code.size)));
  if (!read.ok() || *read != code.size) return;
  std::optional<PatchSite> site = FindSite(code, registers_.orig_rax);
  if (!site || (!IsSafeWithThreads(*site) && !process().HasOneThread())) return;
  PatchPage(page, *site);
}

// By an advice that only private anonymous memory takes, taken back at once.
bool StubContext::IsFileMapping(uint64_t page) {
  auto advise = [&](uint64_t advice) {
    return HostCall({.number = SYS_madvise, .arguments = {page, kPageSize, advice}});
  };
  if (advise(MADV_WIPEONFORK).Is(EINVAL)) return true;
  (void)advise(MADV_KEEPONFORK);
  return false;
}

void StubContext::PatchPage(uint64_t page, const PatchSite& site) {
  if (!process().call_sites().MayPatch(page, page + kPageSize)) return;
  // A page that the guest may write is left alone: it may be generating code. EINVAL: it may not.
  SyscallResult writable =
      HostCall({.number = SYS_madvise, .arguments = {page, kPageSize, MADV_POPULATE_WRITE}});
  if (!writable.Is(EINVAL)) return;
  if (!IsFileMapping(page)) return;  // Generated code: its author may look at it.
  constexpr uint64_t kCode = PROT_READ | PROT_EXEC;
  auto protect = [&](uint64_t protection) {
    return HostCall({.number = SYS_mprotect, .arguments = {page, kPageSize, protection}});
  };
  if (!protect(kCode | PROT_WRITE).ok()) return;
  Command command{.kind = CommandKind::kPatchSite};
  std::memcpy(command.arguments, &site, sizeof(site));
  (void)Transact(command);
  (void)protect(kCode);
}

void StubContext::NoteSharedMapping(const HostCallRequest& request, const SyscallResult& result) {
  if (!result.ok()) return;
  const auto& a = request.arguments;
  if (request.number == SYS_mmap && (a[3] & MAP_SHARED)) {
    process().call_sites().AddShared(*result, *result + a[1]);
  } else if (request.number == SYS_mremap) {
    // An old length of 0 makes a second mapping of shared memory.
    process().call_sites().Moved(a[0], a[0] + std::max(a[1], kPageSize));
  }
}

}  // namespace redoubt::platform::seccomp_trap
