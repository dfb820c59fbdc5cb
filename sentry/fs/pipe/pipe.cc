// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/pipe/pipe.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace redoubt::fs {

Pipe::Pipe() : ring_(kPipeDefaultPages) {}
Pipe::~Pipe() = default;

Pipe::Generations Pipe::AddEnd(bool read, bool write) {
  Generations at_open;
  {
    MutexLock lock(&mu_);
    if (readers_ == 0) at_open.readers = generations_.readers;
    if (writers_ == 0) at_open.writers = generations_.writers;
    if (read) ++readers_, ++generations_.readers;
    if (write) ++writers_, ++generations_.writers;
  }
  // An opener of the other end may wait in FinishOpen().
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM);
  return at_open;
}

void Pipe::RemoveEnd(bool read, bool write) {
  EventMask events = 0;
  {
    MutexLock lock(&mu_);
    if (read && --readers_ == 0) events |= EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP;
    if (write && --writers_ == 0) events |= EPOLLIN | EPOLLRDNORM | EPOLLHUP;
    if (readers_ == 0 && writers_ == 0) {
      while (used_ > 0) PopLocked();
      spare_ = {};
    }
  }
  if (events != 0) wait_queue_.Wake(events);
}

void Pipe::PopLocked() {
  Buffer& buffer = AtLocked(0);
  for (std::unique_ptr<Page>& spare : spare_) {
    if (spare || !buffer.page) continue;
    spare = std::move(buffer.page);
  }
  buffer = Buffer{};
  first_ = (first_ + 1) & (ring_.size() - 1);
  --used_;
}

Result<size_t> Pipe::Read(std::span<std::byte> buffer) {
  if (buffer.empty()) return size_t{0};
  size_t done = 0;
  bool was_full = false;
  {
    MutexLock lock(&mu_);
    if (used_ == 0) {
      if (writers_ == 0) return size_t{0};
      return Errno(EAGAIN);
    }
    was_full = FullLocked();
    while (used_ > 0 && done < buffer.size()) {
      Buffer& front = AtLocked(0);
      const size_t take = std::min(front.length, buffer.size() - done);
      std::memcpy(buffer.data() + done, front.page->data() + front.offset, take);
      done += take;
      front.offset += take;
      front.length -= take;
      const bool packet = front.packet;
      // What a read leaves of a packet is gone.
      if (front.length == 0 || packet) PopLocked();
      if (packet) break;
    }
    was_full = was_full && !FullLocked();
  }
  if (was_full) wait_queue_.Wake(EPOLLOUT | EPOLLWRNORM);
  return done;
}

void Pipe::Unread(std::span<const std::byte> data) {
  if (data.empty()) return;
  {
    MutexLock lock(&mu_);
    while (!data.empty()) {
      if (used_ == 0 || AtLocked(0).offset == 0) {
        if (FullLocked()) break;  // Writers were faster: what does not fit is lost.
        first_ = (first_ + ring_.size() - 1) & (ring_.size() - 1);
        ++used_;
        AtLocked(0) =
            Buffer{.page = std::make_unique_for_overwrite<Page>(), .offset = kPipePageSize};
      }
      Buffer& front = AtLocked(0);
      const size_t take = std::min(front.offset, data.size());
      front.offset -= take;
      front.length += take;
      std::memcpy(front.page->data() + front.offset, data.last(take).data(), take);
      data = data.first(data.size() - take);
    }
  }
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
}

Result<size_t> Pipe::Peek(std::span<std::byte> buffer) {
  MutexLock lock(&mu_);
  if (used_ == 0) {
    if (writers_ == 0) return size_t{0};
    return Errno(EAGAIN);
  }
  size_t done = 0;
  for (size_t i = 0; i < used_ && done < buffer.size(); ++i) {
    const Buffer& each = AtLocked(i);
    const size_t take = std::min(each.length, buffer.size() - done);
    std::memcpy(buffer.data() + done, each.page->data() + each.offset, take);
    done += take;
  }
  return done;
}

size_t Pipe::MergeLocked(std::span<const std::byte> data) {
  const size_t chars = data.size() % kPipePageSize;
  if (chars == 0 || used_ == 0) return 0;
  Buffer& last = AtLocked(used_ - 1);
  const size_t end = last.offset + last.length;
  if (last.packet || end + chars > kPipePageSize) return 0;
  std::memcpy(last.page->data() + end, data.data(), chars);
  last.length += chars;
  return chars;
}

void Pipe::AppendLocked(std::span<const std::byte> data, bool packet) {
  Buffer& slot = AtLocked(used_);
  for (std::unique_ptr<Page>& spare : spare_) {
    if (!slot.page) slot.page = std::move(spare);
  }
  if (!slot.page) slot.page = std::make_unique_for_overwrite<Page>();
  std::memcpy(slot.page->data(), data.data(), data.size());
  slot.offset = 0;
  slot.length = data.size();
  slot.packet = packet;
  ++used_;
}

Result<size_t> Pipe::Write(std::span<const std::byte> data, bool packet) {
  if (data.empty()) return size_t{0};
  size_t done = 0;
  {
    MutexLock lock(&mu_);
    if (readers_ == 0) return Errno(EPIPE);
    if (!packet) done = MergeLocked(data);
    while (done < data.size() && !FullLocked()) {
      const size_t take = std::min(kPipePageSize, data.size() - done);
      AppendLocked(data.subspan(done, take), packet);
      done += take;
    }
  }
  if (done == 0) return Errno(EAGAIN);
  // Also when data were there already: an edge-triggered epoll counts writes (Linux: poll_usage).
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
  return done;
}

EventMask Pipe::Readiness(bool read, bool write, const Generations& at_open) {
  MutexLock lock(&mu_);
  EventMask events = 0;
  if (read) {
    if (used_ > 0) events |= EPOLLIN | EPOLLRDNORM;
    if (writers_ == 0 && generations_.writers != at_open.writers) events |= EPOLLHUP;
  }
  if (write) {
    if (!FullLocked()) events |= EPOLLOUT | EPOLLWRNORM;
    if (readers_ == 0) events |= EPOLLERR;
  }
  return events;
}

size_t Pipe::capacity() {
  MutexLock lock(&mu_);
  return ring_.size() * kPipePageSize;
}

Result<size_t> Pipe::SetCapacity(size_t bytes, bool privileged) {
  // Privileged callers get a bound too: the memory is the sentry's.
  constexpr size_t kPrivilegedMaximum = size_t{1} << 24;
  if (bytes > (size_t{1} << 31)) return Errno(EINVAL);
  const size_t pages =
      std::bit_ceil(std::max<size_t>(1, (bytes + kPipePageSize - 1) / kPipePageSize));
  size_t old_pages = 0;
  {
    MutexLock lock(&mu_);
    old_pages = ring_.size();
    if (pages > old_pages && pages * kPipePageSize > kPipeMaximumSize &&
        (!privileged || pages * kPipePageSize > kPrivilegedMaximum)) {
      return Errno(EPERM);
    }
    if (pages < used_) return Errno(EBUSY);
    std::vector<Buffer> ring(pages);
    for (size_t i = 0; i < used_; ++i) ring[i] = std::move(AtLocked(i));
    ring_.swap(ring);
    first_ = 0;
  }
  if (pages > old_pages) wait_queue_.Wake(EPOLLOUT | EPOLLWRNORM);
  return pages * kPipePageSize;
}

size_t Pipe::BytesReadable() {
  MutexLock lock(&mu_);
  size_t bytes = 0;
  for (size_t i = 0; i < used_; ++i) bytes += AtLocked(i).length;
  return bytes;
}

bool Pipe::ReaderSeen(const Generations& at_open) {
  MutexLock lock(&mu_);
  return generations_.readers != at_open.readers;
}

bool Pipe::WriterSeen(const Generations& at_open) {
  MutexLock lock(&mu_);
  return generations_.writers != at_open.writers;
}

bool Pipe::HasReaders() {
  MutexLock lock(&mu_);
  return readers_ > 0;
}

}  // namespace redoubt::fs
