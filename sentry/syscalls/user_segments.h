// SPDX-License-Identifier: Apache-2.0
//
// UserSegments: the guest buffers of one call (an iovec array, or a single buffer), walked from the
// first byte to the last while data move in or out.
//
//   UserSegments to = TRY(UserSegments::FromIovec(task, iov.address(), count));
//   size_t copied = TRY(to.CopyOut(task, bytes));        // Goes on where the last copy ended.
#ifndef SENTRY_SYSCALLS_USER_SEGMENTS_H_
#define SENTRY_SYSCALLS_USER_SEGMENTS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "sentry/kernel/task.h"

namespace redoubt::syscalls {

inline constexpr uint64_t kMaximumTransfer = 0x7ffff000;     // Linux's MAX_RW_COUNT.
inline constexpr uint64_t kUserAddressEnd = 0x7ffffffff000;  // TASK_SIZE_MAX of amd64.
inline constexpr uint64_t kMaximumIovecs = 1024;             // UIO_MAXIOV.

// access_ok(): EFAULT for a range that no guest address space can hold.
Result<void> CheckUserRange(uint64_t address, uint64_t length);

class UserSegments {
 public:
  // Cut to kMaximumTransfer, as Linux does.
  static Result<UserSegments> FromBuffer(uint64_t address, uint64_t length);
  // EINVAL for more than kMaximumIovecs, or a length that is negative as a signed number.
  static Result<UserSegments> FromIovec(kernel::Task& task, uint64_t address, uint64_t count);

  uint64_t total() const { return total_; }
  uint64_t remaining() const { return remaining_; }

  // As many bytes as could be copied, and as are left; EFAULT when none could.
  Result<size_t> CopyOut(kernel::Task& task, std::span<const std::byte> data);
  Result<size_t> CopyIn(kernel::Task& task, std::span<std::byte> data);
  // A buffer for what CopyOut is to take next, at most Task::kIoBufferSize; where that spares a
  // copy, one that the guest can see and change.
  std::span<std::byte> OutBuffer(kernel::Task& task) const;
  // Copied, but not used: the next copy begins `bytes` earlier. Not beyond the last copy.
  void Rewind(size_t bytes);

 private:
  struct Segment {
    uint64_t address = 0;
    uint64_t length = 0;
  };
  UserSegments() = default;
  std::span<const Segment> segments() const {
    return many_.empty() ? std::span<const Segment>(&one_, 1) : std::span<const Segment>(many_);
  }
  template <typename Byte, typename Copy>
  Result<size_t> Move(std::span<Byte> data, Copy&& copy);

  Segment one_;  // The common case needs no heap.
  std::vector<Segment> many_;
  size_t index_ = 0;     // Of the segment that is next,
  uint64_t offset_ = 0;  // and where in it.
  uint64_t total_ = 0;
  uint64_t remaining_ = 0;
};

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_USER_SEGMENTS_H_
