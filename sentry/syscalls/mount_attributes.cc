// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/mount_attributes.h"

#include <utility>

namespace redoubt::syscalls {

unsigned long SimpleFlagsOf(uint64_t attributes) {
  constexpr std::pair<uint64_t, unsigned long> kFlags[] = {
      {MOUNT_ATTR_RDONLY, MS_RDONLY},         {MOUNT_ATTR_NOSUID, MS_NOSUID},
      {MOUNT_ATTR_NODEV, MS_NODEV},           {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
      {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME}, {MOUNT_ATTR_NOSYMFOLLOW, kNoSymlinkFollow},
  };
  unsigned long flags = 0;
  for (const auto& [attribute, flag] : kFlags) {
    if ((attributes & attribute) != 0) flags |= flag;
  }
  return flags;
}

Result<unsigned long> AccessTimeFlagsOf(uint64_t attributes) {
  switch (attributes & MOUNT_ATTR__ATIME) {
    case MOUNT_ATTR_RELATIME:
      return static_cast<unsigned long>(MS_RELATIME);
    case MOUNT_ATTR_NOATIME:
      return static_cast<unsigned long>(MS_NOATIME);
    case MOUNT_ATTR_STRICTATIME:
      return 0UL;
    default:
      return Errno(EINVAL);
  }
}

}  // namespace redoubt::syscalls
