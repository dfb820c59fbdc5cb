// SPDX-License-Identifier: Apache-2.0
//
// poll(2), ppoll(2).
#ifndef SENTRY_SYSCALLS_SYS_POLL_H_
#define SENTRY_SYSCALLS_SYS_POLL_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// struct pollfd.
struct PollFd {
  int32_t fd = -1;
  int16_t events = 0;
  int16_t returned = 0;
};
static_assert(sizeof(PollFd) == 8);

SyscallResult SysPoll(Task& task, UserArrayInOut<PollFd> fds, uint32_t count, int32_t timeout_ms);
SyscallResult SysPpoll(Task& task, UserArrayInOut<PollFd> fds, uint32_t count,
                       UserInOut<abi::Timespec> timeout, UserIn<abi::SignalSet> mask,
                       uint64_t mask_size);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_POLL_H_
