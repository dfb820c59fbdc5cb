// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/user_segments.h"

#include <sys/uio.h>

#include <algorithm>

namespace redoubt::syscalls {

namespace {

// struct iovec.
struct Iovec {
  uint64_t base = 0;
  uint64_t length = 0;
};
static_assert(sizeof(Iovec) == sizeof(iovec));

}  // namespace

Result<void> CheckUserRange(uint64_t address, uint64_t length) {
  if (length > kUserAddressEnd || address > kUserAddressEnd - length) return Errno(EFAULT);
  return {};
}

Result<UserSegments> UserSegments::FromBuffer(uint64_t address, uint64_t length) {
  TRY(CheckUserRange(address, length));
  UserSegments result;
  result.one_ = {address, std::min(length, kMaximumTransfer)};
  result.total_ = result.remaining_ = result.one_.length;
  return result;
}

Result<UserSegments> UserSegments::FromIovec(kernel::Task& task, uint64_t address, uint64_t count) {
  if (count > kMaximumIovecs) return Errno(EINVAL);
  UserSegments result;
  if (count == 0) return result;
  std::vector<Iovec> vectors(count);
  TRY(task.CopyIn(address, std::as_writable_bytes(std::span(vectors))));
  for (const Iovec& vector : vectors) {
    if (static_cast<int64_t>(vector.length) < 0) return Errno(EINVAL);
    TRY(CheckUserRange(vector.base, vector.length));
  }
  result.many_.reserve(count);
  for (const Iovec& vector : vectors) {
    uint64_t length = std::min(vector.length, kMaximumTransfer - result.total_);
    if (length == 0) continue;
    result.many_.push_back({vector.base, length});
    result.total_ += length;
  }
  result.remaining_ = result.total_;
  return result;
}

template <typename Byte, typename Copy>
Result<size_t> UserSegments::Move(std::span<Byte> data, Copy&& copy) {
  size_t done = 0;
  auto all = segments();
  while (done < data.size() && remaining_ > 0) {
    const Segment& segment = all[index_];
    size_t wanted = std::min<uint64_t>(data.size() - done, segment.length - offset_);
    Result<size_t> copied = copy(segment.address + offset_, data.subspan(done, wanted));
    if (!copied.ok() && done == 0) return copied.error();
    size_t got = copied.value_or(0);
    done += got;
    offset_ += got;
    remaining_ -= got;
    if (got < wanted) {
      if (done == 0) return Errno(EFAULT);
      break;
    }
    if (offset_ == segment.length && index_ + 1 < all.size()) {
      ++index_;
      offset_ = 0;
    }
  }
  return done;
}

Result<size_t> UserSegments::CopyOut(kernel::Task& task, std::span<const std::byte> data) {
  return Move(data, [&](uint64_t address, std::span<const std::byte> piece) {
    return task.CopyOutSome(address, piece);
  });
}

Result<size_t> UserSegments::CopyIn(kernel::Task& task, std::span<std::byte> data) {
  return Move(data, [&](uint64_t address, std::span<std::byte> piece) {
    return task.CopyInSome(address, piece);
  });
}

std::span<std::byte> UserSegments::OutBuffer(kernel::Task& task) const {
  size_t size = std::min<uint64_t>(remaining_, kernel::Task::kIoBufferSize);
  const Segment& next = segments()[index_];
  if (next.length - offset_ >= size) {
    auto direct = task.context().ResultBuffer(next.address + offset_, size);
    if (!direct.empty()) return direct;
  }
  return task.IoBuffer(size);
}

void UserSegments::Rewind(size_t bytes) {
  auto all = segments();
  remaining_ += bytes;
  while (bytes > offset_) {
    bytes -= offset_;
    offset_ = all[--index_].length;
  }
  offset_ -= bytes;
}

}  // namespace redoubt::syscalls
