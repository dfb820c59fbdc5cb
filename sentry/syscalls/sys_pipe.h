// SPDX-License-Identifier: Apache-2.0
//
// pipe(2), pipe2(2).
#ifndef SENTRY_SYSCALLS_SYS_PIPE_H_
#define SENTRY_SYSCALLS_SYS_PIPE_H_

#include <array>

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

using DescriptorPair = std::array<int32_t, 2>;

SyscallResult SysPipe(Task& task, UserOut<DescriptorPair> fds);
SyscallResult SysPipe2(Task& task, UserOut<DescriptorPair> fds, OpenFlags flags);

// Both files get numbers and `user` is told them, or nothing happens.
SyscallResult InstallPair(Task& task, FileRef first, FileRef second, bool close_on_exec,
                          UserOut<DescriptorPair> user);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_PIPE_H_
