// SPDX-License-Identifier: Apache-2.0
//
// Caller: who asks the VFS for something. The kernel fills one in from a task's credentials, so
// that the VFS knows nothing of tasks.
#ifndef SENTRY_VFS_CALLER_H_
#define SENTRY_VFS_CALLER_H_

#include <linux/capability.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sentry/vfs/path.h"

namespace redoubt::net {
class NetworkNamespace;
}

namespace redoubt::vfs {

struct Caller {
  uint32_t uid = 0;  // fsuid.
  uint32_t gid = 0;  // fsgid.
  std::vector<uint32_t> groups;
  uint64_t capabilities = 0;  // Effective set.
  uint32_t umask = 022;
  uint64_t file_size_limit = ~uint64_t{0};  // RLIMIT_FSIZE, bytes.
  int32_t tgid = 0;  // For /proc/self and record locks, in the guest's PID namespace.
  int32_t tid = 0;
  Path root;  // chroot(2)'s.
  Path working_directory;
  // Borrowed from the task, for sockets; null is the sandbox's own (net::NamespaceOf).
  net::NetworkNamespace* network = nullptr;

  bool HasCapability(int capability) const { return (capabilities >> capability & 1) != 0; }
  bool InGroup(uint32_t group) const {
    return group == gid || std::find(groups.begin(), groups.end(), group) != groups.end();
  }
};

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_CALLER_H_
