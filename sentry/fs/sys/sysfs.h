// SPDX-License-Identifier: Apache-2.0
//
// sysfs (sysfs(5)): what programs ask of it to size themselves - processors, memory nodes, huge
// pages, the loopback device. Nothing of the host's hardware is shown.
#ifndef SENTRY_FS_SYS_SYSFS_H_
#define SENTRY_FS_SYS_SYSFS_H_

#include "base/ref_counted.h"
#include "sentry/vfs/inode.h"

namespace redoubt::kernel {
class Kernel;
}

namespace redoubt::sys {

// The root of a new instance, to be mounted on /sys; made for the kernel as it is now.
RefPtr<vfs::Inode> NewRoot(kernel::Kernel& kernel);

}  // namespace redoubt::sys

#endif  // SENTRY_FS_SYS_SYSFS_H_
