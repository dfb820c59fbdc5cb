// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/poll_set.h"

#include <poll.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "sentry/kernel/restart.h"
#include "sentry/time/clock.h"

namespace redoubt::syscalls {

Deadline DeadlineIn(int64_t nanoseconds) {
  return time::DeadlineAfter(time::Clock::kMonotonic, nanoseconds);
}

int64_t TimeLeft(Deadline deadline) {
  return std::max<int64_t>(*deadline - time::Now(time::Clock::kMonotonic), 0);
}

void PollSet::Add(FileRef file, EventMask wanted) {
  entries_.push_back({.file = std::move(file), .wanted = wanted | POLLERR | POLLHUP, .events = 0});
}

void PollSet::AddFixed(EventMask events) {
  entries_.push_back({.file = nullptr, .wanted = 0, .events = events});
}

size_t PollSet::Ask() {
  size_t ready = 0;
  for (Entry& entry : entries_) {
    if (entry.file) entry.events = entry.file->Readiness(entry.wanted) & entry.wanted;
    if (entry.events != 0) ++ready;
  }
  return ready;
}

Result<size_t> PollSet::SleepUntilReady(Deadline deadline) {
  std::deque<ScopedWait> waits;  // Not movable.
  for (Entry& entry : entries_) {
    WaitQueue* queue = entry.file ? entry.file->wait_queue() : nullptr;
    if (queue != nullptr) waits.emplace_back(task_, *queue, entry.wanted);
  }
  while (true) {
    task_.PrepareToSleep();
    if (size_t ready = Ask(); ready != 0) return ready;
    Result<void> slept = task_.Sleep(deadline);
    if (slept.ok()) continue;
    // Linux looks once more, and what is ready then wins.
    if (size_t ready = Ask(); ready != 0) return ready;
    if (slept.Is(ETIMEDOUT)) return size_t{0};
    return Errno(kernel::ERESTARTNOHAND);
  }
}

Result<size_t> PollSet::Wait(Deadline deadline) {
  if (size_t ready = Ask(); ready != 0) return ready;
  if (task_.interrupted()) return Errno(kernel::ERESTARTNOHAND);
  if (deadline && TimeLeft(deadline) == 0) return size_t{0};
  return SleepUntilReady(deadline);
}

}  // namespace redoubt::syscalls
