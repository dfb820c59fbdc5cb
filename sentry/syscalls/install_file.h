// SPDX-License-Identifier: Apache-2.0
//
// InstallFile: the last step of every call that makes a descriptor.
#ifndef SENTRY_SYSCALLS_INSTALL_FILE_H_
#define SENTRY_SYSCALLS_INSTALL_FILE_H_

#include <utility>

#include "sentry/kernel/task.h"

namespace redoubt::syscalls {

// EMFILE when the process has as many as RLIMIT_NOFILE allows.
inline Result<int> InstallFile(kernel::Task& task, kernel::FileRef file, bool close_on_exec) {
  return task.fd_table()->Install(std::move(file), close_on_exec, task.FdLimit());
}

// The same as a call's result.
inline SyscallResult InstallResult(kernel::Task& task, kernel::FileRef file, bool close_on_exec) {
  return static_cast<uint64_t>(TRY(InstallFile(task, std::move(file), close_on_exec)));
}

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_INSTALL_FILE_H_
