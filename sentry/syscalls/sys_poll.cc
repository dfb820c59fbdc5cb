// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_poll.h"

#include <poll.h>

#include <vector>

#include "sentry/kernel/restart.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/syscalls/temporary_mask.h"

namespace redoubt::syscalls {

static_assert(sizeof(PollFd) == sizeof(pollfd));

namespace {

void AddTo(PollSet& set, const kernel::FdTable& table, const PollFd& poll) {
  if (poll.fd < 0) return set.AddFixed(0);
  Result<FileRef> file = table.GetForIo(poll.fd);
  if (!file.ok()) return set.AddFixed(POLLNVAL);
  set.Add(*std::move(file), static_cast<uint16_t>(poll.events));
}

// do_sys_poll().
SyscallResult DoPoll(Task& task, UserArrayInOut<PollFd> user, uint32_t count, Deadline deadline) {
  if (count > task.FdLimit()) return Errno(EINVAL);
  std::vector<PollFd> polls(count);
  TRY(task.CopyIn(user.address(), std::as_writable_bytes(std::span(polls))));
  PollSet set(task);
  set.Reserve(count);
  RefPtr<kernel::FdTable> table = task.fd_table();
  for (const PollFd& poll : polls) AddTo(set, *table, poll);
  Result<size_t> ready = set.Wait(deadline);
  // Only the results go back, even when a signal came.
  for (size_t i = 0; i < polls.size(); ++i) polls[i].returned = static_cast<int16_t>(set.events(i));
  TRY(task.CopyOut(user.address(), std::as_bytes(std::span(polls))));
  return ready;
}

// Goes on after a signal that runs no handler, with the time that is left.
SyscallResult RestartablePoll(Task& task, UserArrayInOut<PollFd> fds, uint32_t count,
                              Deadline deadline) {
  SyscallResult result = DoPoll(task, fds, count, deadline);
  if (!result.Is(kernel::ERESTARTNOHAND)) return result;
  task.SetRestart([=](Task& again) { return RestartablePoll(again, fds, count, deadline); });
  return Errno(kernel::ERESTART_RESTARTBLOCK);
}

}  // namespace

SyscallResult SysPoll(Task& task, UserArrayInOut<PollFd> fds, uint32_t count, int32_t timeout_ms) {
  Deadline deadline = kNoDeadline;
  if (timeout_ms >= 0) deadline = DeadlineIn(int64_t{timeout_ms} * 1'000'000);
  return RestartablePoll(task, fds, count, deadline);
}

SyscallResult SysPpoll(Task& task, UserArrayInOut<PollFd> fds, uint32_t count,
                       UserInOut<abi::Timespec> timeout, UserIn<abi::SignalSet> mask,
                       uint64_t mask_size) {
  Deadline deadline = kNoDeadline;
  if (timeout) {
    abi::Timespec limit = TRY(timeout.Read(task));
    if (!limit.IsValid()) return Errno(EINVAL);
    deadline = DeadlineIn(abi::ToNanoseconds(limit));
  }
  TRY(SetTemporaryMask(task, mask.address(), mask_size));
  SyscallResult result = DoPoll(task, fds, count, deadline);
  EndTemporaryMask(task, result, kernel::ERESTARTNOHAND);
  if (deadline) (void)timeout.Write(task, abi::FromNanoseconds(TimeLeft(deadline)));
  return result;
}

}  // namespace redoubt::syscalls
