// SPDX-License-Identifier: Apache-2.0
//
// pidfds: descriptors that stand for a process (pidfd_open(2)).
#ifndef SENTRY_SYSCALLS_PIDFD_H_
#define SENTRY_SYSCALLS_PIDFD_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// The process that descriptor `fd` stands for; EBADF when it is no pidfd.
Result<int> PidOfPidfd(Task& task, int fd);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_PIDFD_H_
