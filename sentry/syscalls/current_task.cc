// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/current_task.h"

namespace redoubt::syscalls {

namespace {
thread_local constinit kernel::Task* current_task = nullptr;
}  // namespace

kernel::Task* CurrentTask() { return current_task; }

ScopedCurrentTask::ScopedCurrentTask(kernel::Task& task) { current_task = &task; }
ScopedCurrentTask::~ScopedCurrentTask() { current_task = nullptr; }

}  // namespace redoubt::syscalls
