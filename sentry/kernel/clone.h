// SPDX-License-Identifier: Apache-2.0
//
// clone(2), fork(2), vfork(2), unshare(2).
#ifndef SENTRY_KERNEL_CLONE_H_
#define SENTRY_KERNEL_CLONE_H_

#include "base/result.h"
#include "sentry/kernel/task.h"

namespace redoubt::kernel {

// struct clone_args, with clone(2)'s registers decoded into it.
struct CloneRequest {
  uint64_t flags = 0;  // CLONE_*, without the exit signal.
  int exit_signal = 0;
  uint64_t stack = 0;       // The child's stack pointer; 0: the parent's.
  uint64_t parent_tid = 0;  // Addresses in the guest.
  uint64_t child_tid = 0;
  uint64_t tls = 0;
  uint64_t pidfd = 0;
};

// Gives the child's tid. EINVAL for flags that do not go together, EAGAIN at a task limit, EPERM
// for namespaces without the capability, EINVAL for namespaces not supported.
SyscallResult Clone(Task& task, const CloneRequest& request);

// unshare(2): CLONE_FILES, CLONE_FS, CLONE_SYSVSEM; CLONE_THREAD, SIGHAND, VM when alone.
Result<void> Unshare(Task& task, uint64_t flags);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_CLONE_H_
