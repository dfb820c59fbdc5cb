// SPDX-License-Identifier: Apache-2.0
//
// BlockUntil: how every system call that waits for a file waits. Files never block (see
// vfs/file_description.h): an operation that would have to wait gives EAGAIN, and this tries it
// again whenever the file may have become ready.
//
//   return BlockUntil(task, *file, kReadableEvents, kNoDeadline, file->nonblocking(),
//                     [&] { return file->Read(buffer); });
//
// Gives what `operation` gives, or EAGAIN (non-blocking), ERESTARTSYS (signal), ETIMEDOUT.
#ifndef SENTRY_SYSCALLS_BLOCKING_H_
#define SENTRY_SYSCALLS_BLOCKING_H_

#include <cstdint>
#include <optional>

#include "base/sync/wait_queue.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::syscalls {

// Nanoseconds of the monotonic clock.
using Deadline = std::optional<int64_t>;
inline constexpr Deadline kNoDeadline = std::nullopt;

// A task's entry in one wait queue for the length of a scope.
class ScopedWait {
 public:
  ScopedWait(kernel::Task& task, WaitQueue& queue, EventMask events)
      : waiter_(task), queue_(queue) {
    queue_.Add(&waiter_, events);
  }
  ~ScopedWait() { queue_.Remove(&waiter_); }
  ScopedWait(const ScopedWait&) = delete;
  ScopedWait& operator=(const ScopedWait&) = delete;

 private:
  kernel::Task::Waiter waiter_;
  WaitQueue& queue_;
};

// Waits on `queue` for `events` until `operation` gives something other than EAGAIN.
template <typename Operation>
auto BlockOn(kernel::Task& task, WaitQueue& queue, EventMask events, Deadline deadline,
             Operation&& operation) -> decltype(operation()) {
  ScopedWait wait(task, queue, events);
  while (true) {
    // Forget earlier wake-ups before asking: one that comes after the answer ends the sleep.
    task.PrepareToSleep();
    auto result = operation();
    if (!result.Is(EAGAIN)) return result;
    Result<void> slept = task.Sleep(deadline);
    if (slept.ok()) continue;
    // What became ready while time ran out still counts.
    if (slept.Is(ETIMEDOUT)) {
      auto last = operation();
      if (!last.Is(EAGAIN)) return last;
    }
    return slept.error();
  }
}

template <typename Operation>
auto BlockUntil(kernel::Task& task, vfs::FileDescription& file, EventMask events, Deadline deadline,
                bool nonblocking, Operation&& operation) -> decltype(operation()) {
  auto first = operation();  // Mostly it need not wait, and no queue is touched.
  if (nonblocking || !first.Is(EAGAIN)) return first;
  WaitQueue* queue = file.wait_queue();
  if (queue == nullptr) return first;
  return BlockOn(task, *queue, events, deadline, operation);
}

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_BLOCKING_H_
