// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/byte_queue.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/sync/mutex.h"

namespace redoubt::sockets {

struct ByteQueue::Chunk {
  Chunk* next = nullptr;
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t capacity = 0;

  std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }
  size_t size() const { return end - begin; }
  size_t room() const { return capacity - end; }
};

namespace {

constexpr size_t kLargest = 65536;
constexpr size_t kSmallest = 512;

// Large chunks come and go with every write of a busy stream. A few are kept, so that the heap's
// end does not grow and shrink with them.
class LargeChunks {
 public:
  void* Get() {
    MutexLock lock(&mu_);
    return count_ == 0 ? nullptr : kept_[--count_];
  }
  bool Put(void* memory) {
    MutexLock lock(&mu_);
    if (count_ == kMost) return false;
    kept_[count_++] = memory;
    return true;
  }

 private:
  static constexpr size_t kMost = 8;
  Mutex<LockRank::kLeaf> mu_;
  size_t count_ ABSL_GUARDED_BY(mu_) = 0;
  void* kept_[kMost] ABSL_GUARDED_BY(mu_) = {};
};

LargeChunks& Kept() {
  static auto* chunks = new LargeChunks;
  return *chunks;
}

// What a chunk for `size` bytes should hold: some more, for those that follow.
size_t CapacityFor(size_t size) {
  if (size > kLargest / 2) return kLargest;
  size_t capacity = kSmallest;
  while (capacity < size * 2 && capacity < kLargest) capacity *= 2;
  return capacity;
}

}  // namespace

ByteQueue::Chunk* ByteQueue::NewChunk(size_t capacity) {
  void* memory = capacity == kLargest ? Kept().Get() : nullptr;
  if (memory == nullptr) memory = std::malloc(sizeof(Chunk) + capacity);
  CHECK(memory != nullptr);
  auto* chunk = new (memory) Chunk;
  chunk->capacity = static_cast<uint32_t>(capacity);
  return chunk;
}

void ByteQueue::FreeChunk(Chunk* chunk) {
  if (chunk->capacity == kLargest && Kept().Put(chunk)) return;
  std::free(chunk);
}

ByteQueue::ByteQueue(ByteQueue&& other) noexcept { *this = std::move(other); }

ByteQueue& ByteQueue::operator=(ByteQueue&& other) noexcept {
  if (this == &other) return *this;
  Clear();
  first_ = std::exchange(other.first_, nullptr);
  last_ = std::exchange(other.last_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void ByteQueue::PushBack(Chunk* chunk) {
  chunk->next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = chunk;
  last_ = chunk;
}

void ByteQueue::PopFront() {
  first_ = first_->next;
  if (first_ == nullptr) last_ = nullptr;
}

void ByteQueue::Append(std::span<const std::byte> data) {
  while (!data.empty()) {
    if (last_ == nullptr || last_->room() == 0) {
      PushBack(NewChunk(CapacityFor(std::max(data.size(), size_ / 4))));
    }
    const size_t part = std::min(data.size(), last_->room());
    std::memcpy(last_->data() + last_->end, data.data(), part);
    last_->end += static_cast<uint32_t>(part);
    size_ += part;
    data = data.subspan(part);
  }
}

void ByteQueue::Prepend(std::span<const std::byte> data) {
  ByteQueue front;
  front.Append(data);
  if (front.empty()) return;
  front.last_->next = first_;
  if (last_ == nullptr) last_ = front.last_;
  first_ = std::exchange(front.first_, nullptr);
  front.last_ = nullptr;
  size_ += std::exchange(front.size_, 0);
}

void ByteQueue::Splice(ByteQueue& other) {
  if (other.empty()) return;
  if (last_ != nullptr && other.size_ <= kSmall && other.first_ == other.last_ &&
      last_->room() >= other.size_) {
    Append({other.first_->data() + other.first_->begin, other.size_});
    other.Clear();
    return;
  }
  (last_ == nullptr ? first_ : last_->next) = other.first_;
  last_ = other.last_;
  size_ += other.size_;
  other.first_ = other.last_ = nullptr;
  other.size_ = 0;
}

ByteQueue ByteQueue::Take(size_t length) {
  ByteQueue taken;
  length = std::min(length, size_);
  while (length > 0) {
    Chunk* front = first_;
    if (front->size() > length) {
      taken.Append({front->data() + front->begin, length});
      front->begin += static_cast<uint32_t>(length);
      size_ -= length;
      break;
    }
    PopFront();
    size_ -= front->size();
    length -= front->size();
    taken.size_ += front->size();
    taken.PushBack(front);
  }
  return taken;
}

size_t ByteQueue::CopyTo(size_t offset, std::span<std::byte> buffer) const {
  size_t copied = 0;
  for (Chunk* chunk = first_; chunk != nullptr && copied < buffer.size(); chunk = chunk->next) {
    if (offset >= chunk->size()) {
      offset -= chunk->size();
      continue;
    }
    const size_t part = std::min(chunk->size() - offset, buffer.size() - copied);
    std::memcpy(buffer.data() + copied, chunk->data() + chunk->begin + offset, part);
    copied += part;
    offset = 0;
  }
  return copied;
}

void ByteQueue::Drop(size_t length) {
  length = std::min(length, size_);
  size_ -= length;
  while (length > 0) {
    const size_t part = std::min(first_->size(), length);
    first_->begin += static_cast<uint32_t>(part);
    length -= part;
    if (first_->size() > 0) break;
    Chunk* empty = first_;
    PopFront();
    FreeChunk(empty);
  }
}

void ByteQueue::Clear() { Drop(size_); }

}  // namespace redoubt::sockets
