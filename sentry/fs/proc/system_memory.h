// SPDX-License-Identifier: Apache-2.0
//
// /proc/meminfo and vmstat: the sandbox's memory, as far as its processes' stubs tell.
#ifndef SENTRY_FS_PROC_SYSTEM_MEMORY_H_
#define SENTRY_FS_PROC_SYSTEM_MEMORY_H_

#include <string>

#include "base/result.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::proc {

Result<std::string> Meminfo(kernel::Kernel& kernel);
Result<std::string> Vmstat(kernel::Kernel& kernel);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_SYSTEM_MEMORY_H_
