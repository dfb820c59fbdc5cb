// SPDX-License-Identifier: Apache-2.0
//
// FakeMemory: the memory of a guest process as a map of pages, with the memory calls that change
// it. What a host kernel does for the real platforms, as far as unit tests of the sentry need it.
//
// Left out, and refused with EINVAL: MREMAP_DONTUNMAP. Shared file mappings are a copy made at
// mmap time: stores do not reach the file.
#ifndef PLATFORM_FAKE_FAKE_MEMORY_H_
#define PLATFORM_FAKE_FAKE_MEMORY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"

namespace redoubt::platform::fake {

class FakeMemory {
 public:
  FakeMemory() = default;
  // As fork: private pages are copied, shared ones stay shared.
  FakeMemory(const FakeMemory& other);
  FakeMemory& operator=(const FakeMemory&) = delete;

  // Up to the first page that is not mapped with the protection it takes.
  size_t Read(uint64_t address, std::span<std::byte> buffer) const;
  size_t Write(uint64_t address, std::span<const std::byte> buffer);
  // The protection of the page at `address`; EFAULT when there is none.
  Result<int> ProtectionAt(uint64_t address) const;

  // mmap(2) of memory that begins with `contents` (empty for anonymous memory).
  SyscallResult Map(uint64_t address, uint64_t length, int protection, int flags,
                    std::span<const std::byte> contents);
  SyscallResult Unmap(uint64_t address, uint64_t length);
  SyscallResult Protect(uint64_t address, uint64_t length, int protection);
  SyscallResult Remap(uint64_t address, uint64_t old_length, uint64_t new_length, int flags,
                      uint64_t new_address);
  SyscallResult Advise(uint64_t address, uint64_t length, int advice);

 private:
  static constexpr uint64_t kPageSize = 4096;
  struct Page {
    int protection = 0;
    bool shared = false;
    std::shared_ptr<std::array<std::byte, kPageSize>> bytes;  // Null: zeros, not yet written.
  };

  // Calls `visit(page, offset in page, length)` for each page of a range that allows `protection`.
  template <typename Visit>
  size_t ForEachPiece(uint64_t address, size_t size, int protection, Visit visit) const;
  bool IsFree(uint64_t address, uint64_t length) const;
  bool IsMapped(uint64_t address, uint64_t length) const;
  Result<uint64_t> Place(uint64_t address, uint64_t length, int flags);
  Result<uint64_t> FindRoom(uint64_t length) const;
  void Move(uint64_t from, uint64_t to, uint64_t length);

  std::map<uint64_t, Page> pages_;  // By number.
};

}  // namespace redoubt::platform::fake

#endif  // PLATFORM_FAKE_FAKE_MEMORY_H_
