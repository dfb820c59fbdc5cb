// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_epoll.h"

#include <sys/epoll.h>

#include <algorithm>

#include "sentry/fs/epoll/epoll.h"
#include "sentry/syscalls/blocking.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/syscalls/temporary_mask.h"
#include "sentry/syscalls/user_segments.h"

namespace redoubt::syscalls {

namespace {

constexpr int32_t kMostEvents = INT32_MAX / static_cast<int32_t>(sizeof(abi::EpollEvent));

struct WaitRequest {
  int epoll_fd;
  uint64_t events;
  int32_t maximum;
  Deadline deadline;
};

// do_epoll_wait(). One call gives no more than the buffer holds; who wants more asks again.
SyscallResult WaitFor(Task& task, const WaitRequest& request) {
  if (request.maximum <= 0 || request.maximum > kMostEvents) return Errno(EINVAL);
  size_t bytes = static_cast<size_t>(request.maximum) * sizeof(abi::EpollEvent);
  TRY(CheckUserRange(request.events, bytes));
  FileRef file = TRY(task.fd_table()->GetForIo(request.epoll_fd));
  auto* epoll = dynamic_cast<fs::EpollFile*>(file.get());
  if (epoll == nullptr) return Errno(EINVAL);
  std::span<std::byte> buffer = task.IoBuffer(bytes);
  std::span<abi::EpollEvent> events(reinterpret_cast<abi::EpollEvent*>(buffer.data()),
                                    buffer.size() / sizeof(abi::EpollEvent));
  bool only_ask = request.deadline && TimeLeft(request.deadline) == 0;
  Result<size_t> ready =
      BlockUntil(task, *file, EPOLLIN, request.deadline, only_ask, [&]() -> Result<size_t> {
        size_t count = epoll->Collect(events);
        if (count == 0) return Errno(EAGAIN);
        return count;
      });
  if (ready.Is(EAGAIN) || ready.Is(ETIMEDOUT)) return 0UL;
  if (!ready.ok()) return Errno(EINTR);  // Never restarted.
  TRY(task.CopyOut(request.events, std::as_bytes(events.first(*ready))));
  return *ready;
}

SyscallResult MaskedWait(Task& task, const WaitRequest& request, uint64_t mask,
                         uint64_t mask_size) {
  TRY(SetTemporaryMask(task, mask, mask_size));
  SyscallResult result = WaitFor(task, request);
  EndTemporaryMask(task, result, EINTR);
  return result;
}

Deadline FromMilliseconds(int32_t timeout) {
  if (timeout < 0) return kNoDeadline;
  return DeadlineIn(int64_t{timeout} * 1'000'000);
}

}  // namespace

SyscallResult SysEpollCreate(Task& task, int32_t size) {
  if (size <= 0) return Errno(EINVAL);
  return SysEpollCreate1(task, 0);
}

SyscallResult SysEpollCreate1(Task& task, uint32_t flags) {
  FileRef file = TRY(fs::EpollFile::Create(flags));
  return InstallResult(task, std::move(file), (flags & EPOLL_CLOEXEC) != 0);
}

SyscallResult SysEpollCtl(Task& task, FdNumber epoll_fd, int32_t operation, FdNumber fd,
                          UserIn<abi::EpollEvent> user_event) {
  abi::EpollEvent event;
  if (operation != EPOLL_CTL_DEL) event = TRY(user_event.Read(task));
  event.events |= EPOLLERR | EPOLLHUP;  // Nobody can decline these.
  FileRef file = TRY(task.fd_table()->GetForIo(epoll_fd));
  FileRef target = TRY(task.fd_table()->GetForIo(fd));
  if (target->wait_queue() == nullptr) return Errno(EPERM);
  auto* epoll = dynamic_cast<fs::EpollFile*>(file.get());
  if (epoll == nullptr) return Errno(EINVAL);
  TRY(epoll->Control(operation, fd, *target, event));
  return 0UL;
}

SyscallResult SysEpollWait(Task& task, FdNumber epoll_fd, UserArrayOut<abi::EpollEvent> events,
                           int32_t maximum, int32_t timeout_ms) {
  return WaitFor(task, {epoll_fd, events.address(), maximum, FromMilliseconds(timeout_ms)});
}

SyscallResult SysEpollPwait(Task& task, FdNumber epoll_fd, UserArrayOut<abi::EpollEvent> events,
                            int32_t maximum, int32_t timeout_ms, UserIn<abi::SignalSet> mask,
                            uint64_t mask_size) {
  WaitRequest request{epoll_fd, events.address(), maximum, FromMilliseconds(timeout_ms)};
  return MaskedWait(task, request, mask.address(), mask_size);
}

SyscallResult SysEpollPwait2(Task& task, FdNumber epoll_fd, UserArrayOut<abi::EpollEvent> events,
                             int32_t maximum, UserIn<abi::Timespec> timeout,
                             UserIn<abi::SignalSet> mask, uint64_t mask_size) {
  WaitRequest request{epoll_fd, events.address(), maximum, kNoDeadline};
  if (timeout) {
    abi::Timespec limit = TRY(timeout.Read(task));
    if (!limit.IsValid()) return Errno(EINVAL);
    request.deadline = DeadlineIn(abi::ToNanoseconds(limit));
  }
  return MaskedWait(task, request, mask.address(), mask_size);
}

}  // namespace redoubt::syscalls
