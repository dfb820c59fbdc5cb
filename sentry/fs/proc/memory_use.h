// SPDX-License-Identifier: Apache-2.0
//
// How much memory the guest's processes use, added up: for /proc/meminfo and the cgroup view.
#ifndef SENTRY_FS_PROC_MEMORY_USE_H_
#define SENTRY_FS_PROC_MEMORY_USE_H_

#include <cstdint>

#include "sentry/kernel/kernel.h"

namespace redoubt::proc {

struct MemoryUse {
  uint64_t anonymous_kib = 0;
  uint64_t shared_kib = 0;  // Files and shared memory: counted once for each process that maps it.
};

MemoryUse SumMemoryUse(kernel::Kernel& kernel);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_MEMORY_USE_H_
