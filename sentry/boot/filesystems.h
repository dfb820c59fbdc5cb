// SPDX-License-Identifier: Apache-2.0
//
// The guest's first mount namespace: the gofer's files (under an overlay where asked), and the file
// systems that the sentry itself provides.
#ifndef SENTRY_BOOT_FILESYSTEMS_H_
#define SENTRY_BOOT_FILESYSTEMS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "base/ref_counted.h"
#include "gofer/protocol/channel.h"
#include "sentry/boot/sentry_config.h"
#include "sentry/kernel/kernel.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/mount.h"

namespace redoubt::boot {

// Attaches config.mounts in order, with /dev, /dev/pts and /dev/shm over the first.
absl::StatusOr<RefPtr<vfs::MountNamespace>> BuildMounts(const SentryConfig& config,
                                                        std::shared_ptr<gofer::Channel> channel);
// Mounts /proc and /sys, which show what the kernel has.
absl::Status MountKernelViews(kernel::Kernel& kernel);

// Root with every capability at the root of `mounts`.
vfs::Caller RootCaller(const vfs::MountNamespace& mounts);

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_FILESYSTEMS_H_
