// SPDX-License-Identifier: Apache-2.0
//
// Short lists of /proc: file systems, devices, the version; and the empty ones of a machine without
// disks, swap and interrupts.
#ifndef SENTRY_FS_PROC_SYSTEM_LISTS_H_
#define SENTRY_FS_PROC_SYSTEM_LISTS_H_

#include <string>

#include "base/result.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::proc {

Result<std::string> Cgroups(kernel::Kernel& kernel);
Result<std::string> KernelCmdline(kernel::Kernel& kernel);
Result<std::string> Devices(kernel::Kernel& kernel);
Result<std::string> Crypto(kernel::Kernel&);
Result<std::string> KeyUsers(kernel::Kernel&);
Result<std::string> Pressure(kernel::Kernel&);
Result<std::string> Filesystems(kernel::Kernel& kernel);
Result<std::string> Interrupts(kernel::Kernel& kernel);
Result<std::string> Partitions(kernel::Kernel& kernel);
Result<std::string> Swaps(kernel::Kernel& kernel);
Result<std::string> Version(kernel::Kernel& kernel);
// An empty file.
Result<std::string> Nothing(kernel::Kernel& kernel);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_SYSTEM_LISTS_H_
