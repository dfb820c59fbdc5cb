// SPDX-License-Identifier: Apache-2.0
//
// The gofer process: serves the files of one container to the sentry, over one socket.
//
//   // In a process of its own (after fork), which sees only the container's mounts:
//   gofer::GoferConfig config;
//   config.socket = OwnedFd(...);                       // One end of host::CreateMessagePair().
//   config.own_descriptors = OwnedFd(...);              // OpenOwnDescriptors(), before chroot.
//   config.attach_points.push_back({.id = 0, .root = OwnedFd(...)});
//   _exit(gofer::RunGofer(std::move(config)));
//
// It ends when the other end of the socket closes.
#ifndef GOFER_SERVER_GOFER_H_
#define GOFER_SERVER_GOFER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/owned_fd.h"

namespace redoubt::gofer {

struct AttachPoint {
  uint32_t id = 0;
  OwnedFd root;  // A directory, or the file of a file bind mount. O_PATH is enough.
  bool read_only = false;
};

struct GoferConfig {
  OwnedFd socket;
  std::vector<AttachPoint> attach_points;
  // From OpenOwnDescriptors(); invalid: RunGofer opens it itself, from the /proc that it sees.
  OwnedFd own_descriptors;
  size_t most_nodes = size_t{1} << 20;
  // Descriptors for nodes; 0: what RLIMIT_NOFILE's hard limit leaves.
  size_t most_descriptors = 0;
  bool confine = true;               // False in some tests: no capabilities dropped, no filter.
  bool log_filter_breaches = false;  // For developers; see host::FilterOptions.
};

// Serves until the sentry is gone. Gives the exit status: 0, or 1 with a line in the log.
int RunGofer(GoferConfig config);

}  // namespace redoubt::gofer

#endif  // GOFER_SERVER_GOFER_H_
