// SPDX-License-Identifier: Apache-2.0
//
// Giving a new file to the calling task.
#ifndef SENTRY_SYSCALLS_INSTALL_FD_H_
#define SENTRY_SYSCALLS_INSTALL_FD_H_

#include <sys/resource.h>

#include <utility>

#include "sentry/kernel/thread_group.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// The lowest free descriptor from `minimum` on, within RLIMIT_NOFILE: EMFILE.
inline Result<int> InstallFd(Task& task, FileRef file, bool close_on_exec, int minimum = 0) {
  uint64_t limit = task.group()->limit(RLIMIT_NOFILE).current;
  return task.fd_table()->Install(std::move(file), close_on_exec, limit, minimum);
}

// The same as the result of a system call.
inline SyscallResult InstallAsResult(Task& task, FileRef file, bool close_on_exec) {
  return static_cast<uint64_t>(TRY(InstallFd(task, std::move(file), close_on_exec)));
}

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_INSTALL_FD_H_
