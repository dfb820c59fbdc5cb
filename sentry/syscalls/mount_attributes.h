// SPDX-License-Identifier: Apache-2.0
//
// MOUNT_ATTR_*, as fsmount(2) and mount_setattr(2) take them, and the flags of a mount that they
// mean.
#ifndef SENTRY_SYSCALLS_MOUNT_ATTRIBUTES_H_
#define SENTRY_SYSCALLS_MOUNT_ATTRIBUTES_H_

#include <sys/mount.h>

#include <cstdint>

#include "sentry/syscalls/mount_tree.h"

namespace redoubt::syscalls {

inline constexpr uint64_t kSimpleAttributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                                              MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                                              MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW;
inline constexpr uint64_t kMountAttributes = kSimpleAttributes | MOUNT_ATTR__ATIME;

// Without those of access times.
unsigned long SimpleFlagsOf(uint64_t attributes);
// EINVAL for more than one way to keep access times.
Result<unsigned long> AccessTimeFlagsOf(uint64_t attributes);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_MOUNT_ATTRIBUTES_H_
