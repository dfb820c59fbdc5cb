// SPDX-License-Identifier: Apache-2.0
//
// The task whose system call this thread serves now, for objects below the system-call layer that
// act on "whoever calls", as signalfd does. The dispatcher sets it; handlers are given their task.
#ifndef SENTRY_SYSCALLS_CURRENT_TASK_H_
#define SENTRY_SYSCALLS_CURRENT_TASK_H_

#include "sentry/kernel/task.h"

namespace redoubt::syscalls {

// Null on a thread that serves none.
kernel::Task* CurrentTask();

class ScopedCurrentTask {
 public:
  explicit ScopedCurrentTask(kernel::Task& task);
  ~ScopedCurrentTask();
  ScopedCurrentTask(const ScopedCurrentTask&) = delete;
  ScopedCurrentTask& operator=(const ScopedCurrentTask&) = delete;
};

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_CURRENT_TASK_H_
