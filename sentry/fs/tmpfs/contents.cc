// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tmpfs/contents.h"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace redoubt::tmpfs {

namespace {

// From here on the host's page cache is the better place.
constexpr uint64_t kHeapLimit = 256 << 10;
constexpr size_t kSmallestChunk = 64;

uint64_t PageOf(uint64_t offset) { return offset / kPageSize; }
uint64_t PageCount(uint64_t bytes) { return bytes / kPageSize + (bytes % kPageSize != 0); }

// Pages that [begin, end) touches.
uint64_t PagesIn(uint64_t begin, uint64_t end) {
  return begin >= end ? 0 : PageCount(end) - PageOf(begin);
}

}  // namespace

Contents::~Contents() { budget_.Uncharge(host_ ? charged_ : chunks_.size()); }

Result<size_t> Contents::Read(std::span<std::byte> buffer, uint64_t offset) const {
  if (offset >= size_) return size_t{0};
  buffer = buffer.first(std::min<uint64_t>(buffer.size(), size_ - offset));
  if (host_) return host_->Read(buffer, offset);
  size_t done = 0;
  while (done < buffer.size()) {
    size_t begin = (offset + done) % kPageSize;
    size_t piece = std::min<size_t>(kPageSize - begin, buffer.size() - done);
    auto found = chunks_.find(PageOf(offset + done));
    size_t stored = 0;
    if (found != chunks_.end() && found->second.capacity > begin) {
      stored = std::min<size_t>(piece, found->second.capacity - begin);
      std::memcpy(buffer.data() + done, found->second.data.get() + begin, stored);
    }
    std::memset(buffer.data() + done + stored, 0, piece - stored);
    done += piece;
  }
  return done;
}

Result<size_t> Contents::Write(std::span<const std::byte> data, uint64_t offset) {
  if (data.empty()) return size_t{0};
  PreferHost(offset + data.size());
  size_t done = TRY(host_ ? WriteHost(data, offset) : WriteHeap(data, offset));
  size_ = std::max(size_, offset + done);
  return done;
}

void Contents::PreferHost(uint64_t end) {
  // A failure is no harm: the file stays where it is.
  if (!host_ && end > kHeapLimit) (void)MoveToHost(false);
}

// Makes room up to `end` within the page, growing by powers of two.
void Contents::Reserve(Chunk& chunk, size_t end) {
  if (end <= chunk.capacity) return;
  size_t capacity = std::min<size_t>(std::bit_ceil(std::max(end, kSmallestChunk)), kPageSize);
  auto grown = std::make_unique<std::byte[]>(capacity);  // Zeroed.
  if (chunk.capacity > 0) std::memcpy(grown.get(), chunk.data.get(), chunk.capacity);
  chunk.data = std::move(grown);
  chunk.capacity = static_cast<uint32_t>(capacity);
}

Result<size_t> Contents::WriteHeap(std::span<const std::byte> data, uint64_t offset) {
  size_t done = 0;
  while (done < data.size()) {
    uint64_t page = PageOf(offset + done);
    auto found = chunks_.find(page);
    if (found == chunks_.end()) {
      if (!budget_.Charge(1)) break;
      found = chunks_.try_emplace(page).first;
    }
    size_t begin = (offset + done) % kPageSize;
    size_t piece = std::min<size_t>(kPageSize - begin, data.size() - done);
    Reserve(found->second, begin + piece);
    std::memcpy(found->second.data.get() + begin, data.data() + done, piece);
    done += piece;
  }
  if (done == 0) return Errno(ENOSPC);
  return done;
}

Result<size_t> Contents::WriteHost(std::span<const std::byte> data, uint64_t offset) {
  if (offset > size_) sparse_ = true;
  // Below the end of a file without holes every page is there already.
  uint64_t fresh_from = sparse_ ? offset : std::max(offset, PageCount(size_) * kPageSize);
  uint64_t fresh = PagesIn(fresh_from, offset + data.size());
  if (!budget_.Charge(fresh)) {
    Recount();
    uint64_t room = budget_.free();
    // Assumes that no page of the rest exists yet; only a sparse file that is nearly full minds.
    uint64_t fits = fresh_from > offset ? fresh_from - offset : 0;
    if (room > 0) fits += room * kPageSize - fresh_from % kPageSize;
    if (fits == 0) return Errno(ENOSPC);
    data = data.first(std::min<uint64_t>(fits, data.size()));
    fresh = PagesIn(fresh_from, offset + data.size());
    if (!budget_.Charge(fresh)) return Errno(ENOSPC);
  }
  charged_ += fresh;
  auto done = host_->Write(data, offset);
  if (sparse_ || !done.ok() || *done < data.size()) Recount();
  return done;
}

// Takes the host's word for how many pages there are.
void Contents::Recount() {
  uint64_t pages = host_->Pages();
  if (pages > charged_) budget_.ForceCharge(pages - charged_);
  if (pages < charged_) budget_.Uncharge(charged_ - pages);
  charged_ = pages;
}

void Contents::ZeroTail(Chunk& chunk, size_t begin, size_t end) {
  end = std::min<size_t>(end, chunk.capacity);
  if (begin < end) std::memset(chunk.data.get() + begin, 0, end - begin);
}

Result<void> Contents::Resize(uint64_t size) {
  if (size > size_) PreferHost(size);
  if (host_) {
    if (size > size_) sparse_ = true;
    TRY(host_->Resize(size));
    if (size < size_) Recount();
    if (size == 0) sparse_ = false;
  } else {
    // Also what was allocated past the old end.
    auto first_gone = chunks_.lower_bound(PageCount(size));
    budget_.Uncharge(static_cast<uint64_t>(std::distance(first_gone, chunks_.end())));
    chunks_.erase(first_gone, chunks_.end());
    auto last = chunks_.find(PageOf(size));
    if (last != chunks_.end()) ZeroTail(last->second, size % kPageSize, kPageSize);
  }
  size_ = size;
  return {};
}

Result<void> Contents::Allocate(uint64_t offset, uint64_t length, bool keep_size) {
  uint64_t end = offset + length;
  PreferHost(end);
  if (host_) {
    uint64_t pages = PagesIn(offset, end);
    if (!budget_.Charge(pages)) return Errno(ENOSPC);
    auto allocated = host_->Allocate(keep_size ? FALLOC_FL_KEEP_SIZE : 0, offset, length);
    charged_ += pages;
    Recount();
    sparse_ = true;
    TRY(std::move(allocated));
  } else {
    uint64_t missing = 0;
    for (uint64_t page = PageOf(offset); page < PageCount(end); ++page) {
      missing += !chunks_.contains(page);
      if (missing > budget_.limit()) return Errno(ENOSPC);
    }
    if (!budget_.Charge(missing)) return Errno(ENOSPC);
    for (uint64_t page = PageOf(offset); page < PageCount(end); ++page) chunks_.try_emplace(page);
  }
  if (!keep_size) size_ = std::max(size_, end);
  return {};
}

void Contents::PunchHeap(uint64_t begin, uint64_t end) {
  auto it = chunks_.lower_bound(PageOf(begin));
  while (it != chunks_.end() && it->first * kPageSize < end) {
    uint64_t page_begin = it->first * kPageSize;
    uint64_t from = std::max(begin, page_begin) - page_begin;
    uint64_t to = std::min(end, page_begin + kPageSize) - page_begin;
    if (from == 0 && to == kPageSize) {
      it = chunks_.erase(it);
      budget_.Uncharge(1);
    } else {
      ZeroTail(it->second, from, to);
      ++it;
    }
  }
}

Result<void> Contents::PunchHole(uint64_t offset, uint64_t length) {
  if (!host_) {
    PunchHeap(offset, offset + length);
    return {};
  }
  TRY(host_->Allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length));
  sparse_ = true;
  Recount();
  return {};
}

Result<uint64_t> Contents::SeekData(uint64_t offset, bool hole) const {
  if (offset >= size_) return Errno(ENXIO);
  if (host_) return host_->SeekData(offset, hole);
  auto it = chunks_.lower_bound(PageOf(offset));
  if (!hole) {
    if (it == chunks_.end()) return Errno(ENXIO);
    uint64_t data = std::max(offset, it->first * kPageSize);
    if (data >= size_) return Errno(ENXIO);
    return data;
  }
  uint64_t page = PageOf(offset);
  for (; it != chunks_.end() && it->first == page; ++it) ++page;
  return std::min(std::max(offset, page * kPageSize), size_);
}

Result<HostFile*> Contents::MoveToHost(bool required) {
  if (host_) return &*host_;
  HostFile file = TRY(HostFile::Create(required));
  TRY(file.Resize(size_));
  for (const auto& [page, chunk] : chunks_) {
    uint64_t begin = page * kPageSize;
    if (begin >= size_) continue;
    size_t stored = std::min<uint64_t>(chunk.capacity, size_ - begin);
    std::span<const std::byte> data(chunk.data.get(), stored);
    size_t done = TRY(file.Write(data, begin));
    if (done < stored) return Errno(ENOSPC);
  }
  charged_ = chunks_.size();
  sparse_ = chunks_.size() < PageCount(size_);
  chunks_.clear();
  host_.emplace(std::move(file));
  Recount();
  return &*host_;
}

}  // namespace redoubt::tmpfs
