// SPDX-License-Identifier: Apache-2.0
#include "platform/fake/fake_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace redoubt::platform::fake {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kLowest = 0x10000;
constexpr uint64_t kEnd = 0x7ffffffff000;
constexpr uint64_t kMaxLength = uint64_t{1} << 30;  // A test that maps more has gone wrong.

bool Aligned(uint64_t address) { return address % kPage == 0; }
uint64_t PageUp(uint64_t length) { return (length + kPage - 1) & ~(kPage - 1); }
bool InRange(uint64_t address, uint64_t length) {
  return address <= kEnd && length <= kEnd - address;
}

}  // namespace

FakeMemory::FakeMemory(const FakeMemory& other) : pages_(other.pages_) {
  for (auto& [number, page] : pages_) {
    if (!page.shared && page.bytes != nullptr) {
      page.bytes = std::make_shared<std::array<std::byte, kPageSize>>(*page.bytes);
    }
  }
}

template <typename Visit>
size_t FakeMemory::ForEachPiece(uint64_t address, size_t size, int protection, Visit visit) const {
  size_t done = 0;
  while (done < size) {
    uint64_t at = address + done;
    auto found = pages_.find(at / kPageSize);
    if (found == pages_.end() || !(found->second.protection & protection)) break;
    size_t length = std::min<size_t>(size - done, kPageSize - at % kPageSize);
    visit(found->second, at % kPageSize, done, length);
    done += length;
  }
  return done;
}

size_t FakeMemory::Read(uint64_t address, std::span<std::byte> buffer) const {
  // On this processor what can be written or executed can be read.
  constexpr int kReadable = PROT_READ | PROT_WRITE | PROT_EXEC;
  return ForEachPiece(address, buffer.size(), kReadable,
                      [&](const Page& page, size_t offset, size_t done, size_t length) {
                        auto target = buffer.subspan(done, length);
                        if (page.bytes == nullptr) {
                          std::fill(target.begin(), target.end(), std::byte{0});
                        } else {
                          std::copy_n(page.bytes->begin() + offset, length, target.begin());
                        }
                      });
}

size_t FakeMemory::Write(uint64_t address, std::span<const std::byte> buffer) {
  return ForEachPiece(address, buffer.size(), PROT_WRITE,
                      [&](const Page& page, size_t offset, size_t done, size_t length) {
                        std::copy_n(buffer.begin() + done, length, page.bytes->begin() + offset);
                      });
}

Result<int> FakeMemory::ProtectionAt(uint64_t address) const {
  auto found = pages_.find(address / kPageSize);
  if (found == pages_.end()) return Errno(EFAULT);
  return found->second.protection;
}

bool FakeMemory::IsFree(uint64_t address, uint64_t length) const {
  auto next = pages_.lower_bound(address / kPageSize);
  return next == pages_.end() || next->first >= (address + length) / kPageSize;
}

bool FakeMemory::IsMapped(uint64_t address, uint64_t length) const {
  for (uint64_t at = address; at < address + length; at += kPageSize) {
    if (!pages_.contains(at / kPageSize)) return false;
  }
  return true;
}

Result<uint64_t> FakeMemory::FindRoom(uint64_t length) const {
  uint64_t top = kEnd / kPageSize;
  uint64_t needed = length / kPageSize;
  for (auto page = pages_.rbegin(); page != pages_.rend(); ++page) {
    if (top - page->first - 1 >= needed) break;
    top = page->first;
  }
  if (top < needed + kLowest / kPageSize) return Errno(ENOMEM);
  return (top - needed) * kPageSize;
}

Result<uint64_t> FakeMemory::Place(uint64_t address, uint64_t length, int flags) {
  if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
    if (!Aligned(address)) return Errno(EINVAL);
    if (!InRange(address, length)) return Errno(ENOMEM);
    if (address < kLowest) return Errno(EPERM);  // vm.mmap_min_addr.
    if ((flags & MAP_FIXED_NOREPLACE) && !IsFree(address, length)) return Errno(EEXIST);
    return address;
  }
  uint64_t hint = address & ~(kPageSize - 1);
  if (hint >= kLowest && InRange(hint, length) && IsFree(hint, length)) return hint;
  return FindRoom(length);
}

SyscallResult FakeMemory::Map(uint64_t address, uint64_t length, int protection, int flags,
                              std::span<const std::byte> contents) {
  if (length == 0) return Errno(EINVAL);
  if (length > kMaxLength) return Errno(ENOMEM);
  length = PageUp(length);
  uint64_t start = TRY(Place(address, length, flags));
  TRY(Unmap(start, length));
  for (uint64_t at = 0; at < length; at += kPageSize) {
    Page& page = pages_[(start + at) / kPageSize];
    page.protection = protection;
    page.shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    page.bytes = std::make_shared<std::array<std::byte, kPageSize>>();
    if (at >= contents.size()) continue;
    auto piece = contents.subspan(at, std::min<size_t>(kPageSize, contents.size() - at));
    std::copy(piece.begin(), piece.end(), page.bytes->begin());
  }
  return start;
}

SyscallResult FakeMemory::Unmap(uint64_t address, uint64_t length) {
  if (!Aligned(address) || length == 0 || !InRange(address, PageUp(length))) return Errno(EINVAL);
  pages_.erase(pages_.lower_bound(address / kPageSize),
               pages_.lower_bound((address + PageUp(length)) / kPageSize));
  return 0;
}

SyscallResult FakeMemory::Protect(uint64_t address, uint64_t length, int protection) {
  if (!Aligned(address)) return Errno(EINVAL);
  length = PageUp(length);
  if (!InRange(address, length)) return Errno(ENOMEM);
  for (uint64_t at = address; at < address + length; at += kPageSize) {
    auto found = pages_.find(at / kPageSize);
    if (found == pages_.end()) return Errno(ENOMEM);  // What came before stays changed.
    found->second.protection = protection;
  }
  return 0;
}

void FakeMemory::Move(uint64_t from, uint64_t to, uint64_t length) {
  for (uint64_t at = 0; at < length; at += kPageSize) {
    auto node = pages_.extract((from + at) / kPageSize);
    node.key() = (to + at) / kPageSize;
    pages_.insert(std::move(node));
  }
}

SyscallResult FakeMemory::Remap(uint64_t address, uint64_t old_length, uint64_t new_length,
                                int flags, uint64_t new_address) {
  if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) return Errno(EINVAL);
  if ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)) return Errno(EINVAL);
  if (!Aligned(address) || new_length == 0) return Errno(EINVAL);
  old_length = PageUp(old_length);
  new_length = PageUp(new_length);
  if (new_length > kMaxLength || !InRange(address, old_length)) return Errno(ENOMEM);
  if (old_length == 0 || !IsMapped(address, old_length)) return Errno(EFAULT);
  uint64_t grown = new_length > old_length ? new_length - old_length : 0;
  uint64_t target = address;
  if (flags & MREMAP_FIXED) {
    target = TRY(Place(new_address, new_length, MAP_FIXED));
    if (target < address + old_length && address < target + new_length) return Errno(EINVAL);
    TRY(Unmap(target, new_length));
  } else if (grown > 0 && !IsFree(address + old_length, grown)) {
    if (!(flags & MREMAP_MAYMOVE)) return Errno(ENOMEM);
    target = TRY(FindRoom(new_length));
  }
  const Page last = pages_.at((address + old_length) / kPageSize - 1);
  if (new_length < old_length) TRY(Unmap(address + new_length, old_length - new_length));
  if (target != address) Move(address, target, std::min(old_length, new_length));
  if (grown > 0) {
    int type = (last.shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED;
    TRY(Map(target + old_length, grown, last.protection, type, {}));
  }
  return target;
}

SyscallResult FakeMemory::Advise(uint64_t address, uint64_t length, int advice) {
  if (!Aligned(address)) return Errno(EINVAL);
  length = PageUp(length);
  if (!InRange(address, length) || !IsMapped(address, length)) return Errno(ENOMEM);
  if (advice != MADV_DONTNEED) return 0;
  for (uint64_t at = address; at < address + length; at += kPageSize) {
    Page& page = pages_.at(at / kPageSize);
    if (!page.shared) page.bytes = std::make_shared<std::array<std::byte, kPageSize>>();
  }
  return 0;
}

}  // namespace redoubt::platform::fake
