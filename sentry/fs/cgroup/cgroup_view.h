// SPDX-License-Identifier: Apache-2.0
//
// What a container sees at /sys/fs/cgroup: its own cgroup, as the root of a cgroup v2 tree, to look
// at. Limits are the sandbox's (kernel/sandbox_limits.h), usage is what the guest's processes use;
// the sentry's own share, which the host charges too, is not there. Nothing can be changed, and
// there are no cgroups below.
#ifndef SENTRY_FS_CGROUP_CGROUP_VIEW_H_
#define SENTRY_FS_CGROUP_CGROUP_VIEW_H_

#include "sentry/kernel/kernel.h"
#include "sentry/vfs/inode.h"

namespace redoubt::cgroup_view {

RefPtr<vfs::Inode> NewRoot(kernel::Kernel& kernel);

}  // namespace redoubt::cgroup_view

#endif  // SENTRY_FS_CGROUP_CGROUP_VIEW_H_
