// SPDX-License-Identifier: Apache-2.0
//
// sysfs (sysfs(5)): what programs ask of it to size themselves - processors, memory nodes, huge
// pages, the loopback device. Nothing of the host's hardware is shown.
#ifndef SENTRY_FS_SYS_SYSFS_H_
#define SENTRY_FS_SYS_SYSFS_H_

#include <cstdint>

#include "base/ref_counted.h"
#include "sentry/vfs/inode.h"

namespace redoubt::sys {

struct Machine {
  unsigned cpu_count = 1;
  uint64_t memory_bytes = 0;
};

// The root of a new instance, to be mounted on /sys.
RefPtr<vfs::Inode> NewRoot(const Machine& machine);

}  // namespace redoubt::sys

#endif  // SENTRY_FS_SYS_SYSFS_H_
