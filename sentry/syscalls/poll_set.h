// SPDX-License-Identifier: Apache-2.0
//
// PollSet: files that poll(2) or select(2) watches together. Add them all, then ask:
//
//   PollSet set(task);
//   set.Add(file, POLLIN);                       // Or set.AddBad() for a number that is not open.
//   size_t ready = TRY(set.Wait(deadline));      // ERESTARTNOHAND when a signal came first.
//   set.events(0);                               // What is possible at the first file.
#ifndef SENTRY_SYSCALLS_POLL_SET_H_
#define SENTRY_SYSCALLS_POLL_SET_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/sync/wait_queue.h"
#include "sentry/syscalls/args.h"
#include "sentry/syscalls/blocking.h"

namespace redoubt::syscalls {

class PollSet {
 public:
  explicit PollSet(Task& task) : task_(task) {}
  void Reserve(size_t count) { entries_.reserve(count); }

  // POLLERR and POLLHUP are watched always.
  void Add(FileRef file, EventMask wanted);
  // `events` is what it shows (POLLNVAL, or 0 for an entry to be ignored).
  void AddFixed(EventMask events);

  // How many entries have events. Waits until there is one, up to `deadline` (a past one only
  // asks); 0 when time ran out.
  Result<size_t> Wait(Deadline deadline);

  size_t size() const { return entries_.size(); }
  EventMask events(size_t index) const { return entries_[index].events; }

 private:
  struct Entry {
    FileRef file;  // Null: `events` stay as they are.
    EventMask wanted = 0;
    EventMask events = 0;
  };
  size_t Ask();
  Result<size_t> SleepUntilReady(Deadline deadline);

  Task& task_;
  std::vector<Entry> entries_;
};

// A time-out as a deadline; saturates.
Deadline DeadlineIn(int64_t nanoseconds);
// What is left until then, not below 0.
int64_t TimeLeft(Deadline deadline);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_POLL_SET_H_
