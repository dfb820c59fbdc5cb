// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_select.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sentry/kernel/restart.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/syscalls/temporary_mask.h"

namespace redoubt::syscalls {

namespace {

// POLLIN_SET, POLLOUT_SET, POLLEX_SET: which events make a bit of each set.
constexpr std::array<EventMask, 3> kEvents = {POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
                                              POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR, POLLPRI};
constexpr size_t kBits = 64;

// The guest's three bit sets; a null one stays empty.
class FdSets {
 public:
  static Result<FdSets> Read(Task& task, int32_t count, std::array<uint64_t, 3> addresses) {
    FdSets sets;
    sets.addresses_ = addresses;
    sets.count_ = static_cast<size_t>(count);
    for (size_t i = 0; i < 3; ++i) {
      if (addresses[i] == 0) continue;
      sets.words_[i].resize((sets.count_ + kBits - 1) / kBits);
      TRY(task.CopyIn(addresses[i], std::as_writable_bytes(std::span(sets.words_[i]))));
    }
    return sets;
  }

  size_t count() const { return count_; }
  // What is wanted of descriptor `fd`: 0 when it is in no set.
  EventMask Wanted(size_t fd) const {
    EventMask wanted = 0;
    for (size_t i = 0; i < 3; ++i) {
      if (Has(i, fd)) wanted |= kEvents[i];
    }
    return wanted;
  }
  // Leaves only the bits that `events` make; gives how many.
  size_t Keep(size_t fd, EventMask events) {
    size_t kept = 0;
    for (size_t i = 0; i < 3; ++i) {
      if (!Has(i, fd)) continue;
      if ((events & kEvents[i]) != 0) {
        ++kept;
      } else {
        words_[i][fd / kBits] &= ~(uint64_t{1} << (fd % kBits));
      }
    }
    return kept;
  }

  Result<void> Write(Task& task) const {
    for (size_t i = 0; i < 3; ++i) {
      if (addresses_[i] == 0) continue;
      TRY(task.CopyOut(addresses_[i], std::as_bytes(std::span(words_[i]))));
    }
    return {};
  }

 private:
  bool Has(size_t set, size_t fd) const {
    return !words_[set].empty() && (words_[set][fd / kBits] >> (fd % kBits) & 1) != 0;
  }
  size_t count_ = 0;
  std::array<uint64_t, 3> addresses_{};
  std::array<std::vector<uint64_t>, 3> words_;
};

// core_sys_select().
SyscallResult DoSelect(Task& task, int32_t count, std::array<uint64_t, 3> addresses,
                       Deadline deadline) {
  if (count < 0) return Errno(EINVAL);
  // No descriptor can be higher, so Linux ignores what lies beyond.
  count = static_cast<int32_t>(std::min<uint64_t>(static_cast<uint64_t>(count), task.FdLimit()));
  FdSets sets = TRY(FdSets::Read(task, count, addresses));
  PollSet polls(task);
  std::vector<size_t> fds;
  RefPtr<kernel::FdTable> table = task.fd_table();
  for (size_t fd = 0; fd < sets.count(); ++fd) {
    EventMask wanted = sets.Wanted(fd);
    if (wanted == 0) continue;
    polls.Add(TRY(table->GetForIo(static_cast<int>(fd))), wanted);
    fds.push_back(fd);
  }
  TRY(polls.Wait(deadline));
  size_t bits = 0;
  for (size_t i = 0; i < fds.size(); ++i) bits += sets.Keep(fds[i], polls.events(i));
  TRY(sets.Write(task));
  return bits;
}

}  // namespace

SyscallResult SysSelect(Task& task, int32_t count, UserAddress read, UserAddress write,
                        UserAddress except, UserInOut<abi::Timeval> timeout) {
  Deadline deadline = kNoDeadline;
  if (timeout) {
    abi::Timeval limit = TRY(timeout.Read(task));
    // Microseconds may be a second and more here.
    if (limit.seconds < 0 || limit.microseconds < 0) return Errno(EINVAL);
    abi::Timespec normal{.seconds = 0, .nanoseconds = limit.microseconds % 1'000'000 * 1000};
    if (__builtin_add_overflow(limit.seconds, limit.microseconds / 1'000'000, &normal.seconds)) {
      return Errno(EINVAL);
    }
    deadline = DeadlineIn(abi::ToNanoseconds(normal));
  }
  SyscallResult result =
      DoSelect(task, count, {read.address(), write.address(), except.address()}, deadline);
  if (deadline) (void)timeout.Write(task, abi::TimevalFromNanoseconds(TimeLeft(deadline)));
  return result;
}

SyscallResult SysPselect6(Task& task, int32_t count, UserAddress read, UserAddress write,
                          UserAddress except, UserInOut<abi::Timespec> timeout,
                          UserIn<SignalSetArgument> user_mask) {
  SignalSetArgument mask;
  if (user_mask) mask = TRY(user_mask.Read(task));
  Deadline deadline = kNoDeadline;
  if (timeout) {
    abi::Timespec limit = TRY(timeout.Read(task));
    if (!limit.IsValid()) return Errno(EINVAL);
    deadline = DeadlineIn(abi::ToNanoseconds(limit));
  }
  TRY(SetTemporaryMask(task, mask.address, mask.size));
  SyscallResult result =
      DoSelect(task, count, {read.address(), write.address(), except.address()}, deadline);
  EndTemporaryMask(task, result, kernel::ERESTARTNOHAND);
  if (deadline) (void)timeout.Write(task, abi::FromNanoseconds(TimeLeft(deadline)));
  return result;
}

}  // namespace redoubt::syscalls
