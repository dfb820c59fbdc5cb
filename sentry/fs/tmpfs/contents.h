// SPDX-License-Identifier: Apache-2.0
//
// Contents: the bytes of one regular file.
//
// A small file is a few pages of heap, the last one only as large as it must be, so that 100,000
// small files cost neither descriptors nor much memory. A file that grows large or is mapped moves
// into a memfd, for good. Pages never written are holes in both forms and cost nothing.
//
// Not synchronised: the inode's lock guards it, shared for the const methods.
#ifndef SENTRY_FS_TMPFS_CONTENTS_H_
#define SENTRY_FS_TMPFS_CONTENTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/container/btree_map.h"
#include "base/result.h"
#include "sentry/fs/tmpfs/budget.h"
#include "sentry/fs/tmpfs/host_file.h"

namespace redoubt::tmpfs {

inline constexpr uint64_t kPageSize = 4096;

class Contents {
 public:
  // `budget` counts pages and must outlive this.
  explicit Contents(Budget& budget) : budget_(budget) {}
  Contents(const Contents&) = delete;
  Contents& operator=(const Contents&) = delete;
  ~Contents();

  uint64_t size() const { return size_; }
  uint64_t pages() const { return host_ ? host_->Pages() : chunks_.size(); }

  // 0 at and past the end.
  Result<size_t> Read(std::span<std::byte> buffer, uint64_t offset) const;
  // Short when the budget ends within; ENOSPC when nothing fits.
  Result<size_t> Write(std::span<const std::byte> data, uint64_t offset);
  Result<void> Resize(uint64_t size);

  // fallocate(2): memory for a range; grows the file unless `keep_size`.
  Result<void> Allocate(uint64_t offset, uint64_t length, bool keep_size);
  Result<void> PunchHole(uint64_t offset, uint64_t length);
  // The next byte of data (or of a hole) from `offset` on. ENXIO past the end.
  Result<uint64_t> SeekData(uint64_t offset, bool hole) const;

  // Moves the bytes into a memfd and gives it.
  Result<HostFile*> Host() { return MoveToHost(true); }
  // The memfd, or null while there is none.
  HostFile* host_if_any() { return host_ ? &*host_ : nullptr; }

 private:
  // A page of heap; what is past `capacity` is zero.
  struct Chunk {
    std::unique_ptr<std::byte[]> data;
    uint32_t capacity = 0;
  };

  Result<HostFile*> MoveToHost(bool required);
  void PreferHost(uint64_t end);
  Result<size_t> WriteHeap(std::span<const std::byte> data, uint64_t offset);
  Result<size_t> WriteHost(std::span<const std::byte> data, uint64_t offset);
  static void Reserve(Chunk& chunk, size_t end);
  static void ZeroTail(Chunk& chunk, size_t begin, size_t end);
  void PunchHeap(uint64_t begin, uint64_t end);
  void Recount();

  Budget& budget_;
  uint64_t size_ = 0;
  absl::btree_map<uint64_t, Chunk> chunks_;  // By page number.
  std::optional<HostFile> host_;
  // Pages of host_ that the budget was charged for.
  uint64_t charged_ = 0;
  // host_ may have holes below size_, so that only the host knows its pages.
  bool sparse_ = false;
};

}  // namespace redoubt::tmpfs

#endif  // SENTRY_FS_TMPFS_CONTENTS_H_
