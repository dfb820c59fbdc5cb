// SPDX-License-Identifier: Apache-2.0
//
// Pipe: the buffer behind pipe(2) and FIFOs (Linux's fs/pipe.c). A ring of pages, each a piece of
// what was written, so that readiness, atomicity and capacity are Linux's to the byte:
//   - a write of at most PIPE_BUF (4096) goes in whole or not at all;
//   - writable means that a page is free; a small write joins the last page when it fits;
//   - EPIPE without readers (the system-call layer adds SIGPIPE), end of file without writers.
// Pages are allocated when written and freed when read, but for two kept for the next write: an
// idle pipe costs no page, a busy one never calls the allocator.
//
// References are held by its open files (PipeFile).
#ifndef SENTRY_FS_PIPE_PIPE_H_
#define SENTRY_FS_PIPE_PIPE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "base/sync/wait_queue.h"

namespace redoubt::fs {

inline constexpr size_t kPipePageSize = 4096;
inline constexpr size_t kPipeDefaultPages = 16;
inline constexpr size_t kPipeMaximumSize = 1 << 20;  // /proc/sys/fs/pipe-max-size.

class Pipe : public RefCounted<Pipe> {
 public:
  Pipe();
  virtual ~Pipe();
  // For whoever finds pipes by something else than a reference.
  virtual void OnRelease() {}

  // The other ends when an end was opened. Each side counts the ends it ever had; 0 here when there
  // was one at that time. So "somebody has been there" is: the count is another one now.
  struct Generations {
    uint64_t readers = 0;
    uint64_t writers = 0;
  };
  // An end appears or goes. `read` and `write` as the open mode says.
  Generations AddEnd(bool read, bool write);
  void RemoveEnd(bool read, bool write);

  // EAGAIN when it would have to wait. `packet`: O_DIRECT, each write of up to a page is a packet.
  Result<size_t> Read(std::span<std::byte> buffer);
  Result<size_t> Write(std::span<const std::byte> data, bool packet);

  // Puts bytes that were just read back to the front: the reader's memory did not take them.
  void Unread(std::span<const std::byte> data);

  // tee(2) and splice(2) between pipes build on this: copies without consuming.
  Result<size_t> Peek(std::span<std::byte> buffer);

  // For an end with these modes. EPOLLHUP is for a reader that was open while there was a writer.
  EventMask Readiness(bool read, bool write, const Generations& at_open);
  // Whether a reader (writer) is there or has been since the end was opened.
  bool ReaderSeen(const Generations& at_open);
  bool WriterSeen(const Generations& at_open);

  size_t capacity();  // Bytes: F_GETPIPE_SZ.
  // F_SETPIPE_SZ: rounds up to a power of two of pages, gives the new size. EPERM above
  // kPipeMaximumSize without `privileged`, EBUSY when what is in it does not fit.
  Result<size_t> SetCapacity(size_t bytes, bool privileged);
  size_t BytesReadable();  // FIONREAD.

  bool HasReaders();

  WaitQueue& wait_queue() { return wait_queue_; }

 private:
  using Page = std::array<std::byte, kPipePageSize>;
  struct Buffer {
    std::unique_ptr<Page> page;
    size_t offset = 0;
    size_t length = 0;
    bool packet = false;
  };

  bool FullLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return used_ == ring_.size(); }
  Buffer& AtLocked(size_t index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return ring_[(first_ + index) & (ring_.size() - 1)];
  }
  // The remainder over whole pages joins the last buffer if it fits; gives the bytes taken.
  size_t MergeLocked(std::span<const std::byte> data) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AppendLocked(std::span<const std::byte> data, bool packet)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PopLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  WaitQueue wait_queue_;
  Mutex<LockRank::kPipe> mu_;
  std::vector<Buffer> ring_ ABSL_GUARDED_BY(mu_);  // A power of two of slots.
  size_t first_ ABSL_GUARDED_BY(mu_) = 0;
  size_t used_ ABSL_GUARDED_BY(mu_) = 0;
  std::array<std::unique_ptr<Page>, 2> spare_ ABSL_GUARDED_BY(mu_);
  int readers_ ABSL_GUARDED_BY(mu_) = 0;
  int writers_ ABSL_GUARDED_BY(mu_) = 0;
  Generations generations_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_PIPE_PIPE_H_
