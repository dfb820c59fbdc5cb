// SPDX-License-Identifier: Apache-2.0
//
// /proc/sysvipc: one line for each System V object.
#ifndef SENTRY_FS_PROC_SYSTEM_IPC_H_
#define SENTRY_FS_PROC_SYSTEM_IPC_H_

#include <string>

#include "base/result.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::proc {

Result<std::string> SharedMemorySegments(kernel::Kernel& kernel);
Result<std::string> SemaphoreSets(kernel::Kernel& kernel);
Result<std::string> MessageQueues(kernel::Kernel& kernel);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_SYSTEM_IPC_H_
