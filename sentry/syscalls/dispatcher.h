// SPDX-License-Identifier: Apache-2.0
//
// The dispatcher: from a system call's number to its line in the table.
#ifndef SENTRY_SYSCALLS_DISPATCHER_H_
#define SENTRY_SYSCALLS_DISPATCHER_H_

#include <memory>

#include "sentry/kernel/kernel.h"

namespace redoubt::syscalls {

struct DispatcherOptions {
  bool strace = false;  // One line a call into the log; see strace/.
};

// Serves amd64's system calls. x32 numbers and those beyond the table give ENOSYS.
std::unique_ptr<kernel::SyscallDispatcher> CreateDispatcher(const DispatcherOptions& options);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_DISPATCHER_H_
