// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/current_task.h"

namespace redoubt::kernel {

namespace {
thread_local constinit Task* current_task = nullptr;
}  // namespace

Task* CurrentTask() { return current_task; }

ScopedCurrentTask::ScopedCurrentTask(Task& task) { current_task = &task; }
ScopedCurrentTask::~ScopedCurrentTask() { current_task = nullptr; }

}  // namespace redoubt::kernel
