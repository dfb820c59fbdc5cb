// SPDX-License-Identifier: Apache-2.0
//
// ByteQueue: the bytes of a stream that were sent and not yet read, in chunks of at most 64 KiB.
// Not thread-safe: the endpoint's lock guards it. Copying is kept out of that lock where it is
// large: a sender fills a queue of its own and splices it in, a reader takes chunks out and copies
// them afterwards.
//
//   ByteQueue staged;
//   staged.Append(data);                                   // Copies; no lock.
//   { MutexLock lock(&mu_); queue_.Splice(staged); }       // Links.
//   ByteQueue taken;
//   { MutexLock lock(&mu_); taken = queue_.Take(buffer.size()); }
//   taken.CopyTo(0, buffer);
#ifndef SENTRY_SOCKET_BYTE_QUEUE_H_
#define SENTRY_SOCKET_BYTE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace redoubt::sockets {

class ByteQueue {
 public:
  // Data up to this size are worth a copy under the lock: they join the last chunk.
  static constexpr size_t kSmall = 4096;

  ByteQueue() = default;
  ByteQueue(ByteQueue&& other) noexcept;
  ByteQueue& operator=(ByteQueue&& other) noexcept;
  ~ByteQueue() { Clear(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void Append(std::span<const std::byte> data);
  // In front of everything.
  void Prepend(std::span<const std::byte> data);
  // Moves all of `other` to the end; small ones are copied into the last chunk.
  void Splice(ByteQueue& other);
  // The first `length` bytes (or all): whole chunks move, a last part is copied.
  ByteQueue Take(size_t length);
  // Copies what lies behind the first `offset` bytes; gives how much.
  size_t CopyTo(size_t offset, std::span<std::byte> buffer) const;
  void Drop(size_t length);
  void Clear();

 private:
  struct Chunk;
  static Chunk* NewChunk(size_t capacity);
  static void FreeChunk(Chunk* chunk);
  void PushBack(Chunk* chunk);
  void PopFront();

  Chunk* first_ = nullptr;
  Chunk* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_BYTE_QUEUE_H_
