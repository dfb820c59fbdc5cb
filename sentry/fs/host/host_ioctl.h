// SPDX-License-Identifier: Apache-2.0
//
// The ioctls that reach a donated descriptor: a fixed list, each with the size of its argument.
// Everything else is ENOTTY, TIOCSTI (typing for the host's user) above all.
#ifndef SENTRY_FS_HOST_HOST_IOCTL_H_
#define SENTRY_FS_HOST_HOST_IOCTL_H_

#include "sentry/fs/host/host_file.h"

namespace redoubt::fs {

Result<uint64_t> HostIoctl(HostObject& object, const vfs::IoctlRequest& request);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_HOST_HOST_IOCTL_H_
