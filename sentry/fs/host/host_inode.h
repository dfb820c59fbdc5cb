// SPDX-License-Identifier: Apache-2.0
//
// The inode behind a HostFile: the host's type, mode and size under an inode number and a device of
// our own, so that a guest learns nothing of the host's numbers. Ids are shown as root's unless the
// boot code sets them.
#ifndef SENTRY_FS_HOST_HOST_INODE_H_
#define SENTRY_FS_HOST_HOST_INODE_H_

#include "sentry/fs/host/host_file.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"

namespace redoubt::fs {

// Named as /proc/PID/fd shows it: "pipe:[N]", "socket:[N]", "/dev/pts/0"-like terminals as
// "/dev/console", files as "host:[N]".
Result<vfs::Path> MakeHostPath(const RefPtr<HostObject>& object);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_HOST_HOST_INODE_H_
