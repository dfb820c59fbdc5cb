// SPDX-License-Identifier: Apache-2.0
//
// The task whose system call this thread serves now, for objects below the system-call layer that
// act on "whoever calls", as signalfd does. The dispatcher sets it; handlers are given their task.
#ifndef SENTRY_KERNEL_CURRENT_TASK_H_
#define SENTRY_KERNEL_CURRENT_TASK_H_

#include "sentry/kernel/task.h"

namespace redoubt::kernel {

// Null on a thread that serves none.
Task* CurrentTask();

class ScopedCurrentTask {
 public:
  explicit ScopedCurrentTask(Task& task);
  ~ScopedCurrentTask();
  ScopedCurrentTask(const ScopedCurrentTask&) = delete;
  ScopedCurrentTask& operator=(const ScopedCurrentTask&) = delete;
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_CURRENT_TASK_H_
