// SPDX-License-Identifier: Apache-2.0
//
// One more process in a running container.
#ifndef RUNSC_CONTAINER_EXEC_H_
#define RUNSC_CONTAINER_EXEC_H_

#include <string>

#include "absl/status/statusor.h"
#include "runsc/container/state.h"
#include "runsc/oci/spec.h"

namespace redoubt::runsc {

struct ExecOptions {
  oci::Process process;
  bool detach = false, ignore_paused = false;
  std::string console_socket, pid_file;
  int preserve_fds = 0;
  std::string seccomp;  // Filled in from the container's configuration.
};

// Detached: gives 0 when the process runs. A process of the host, in the container's cgroup, stands
// for it then: it passes signals on and ends as the process does; killing it kills the process.
// Else waits for the end, and gives the exit code (128 and the signal).
absl::StatusOr<int> ExecInContainer(const Container& container, const ExecOptions& options);

// Runs the startContainer hooks of a created container, in the container: each is a process of the
// guest, root with the container's capabilities.
absl::Status RunStartHooks(const Container& container, const oci::Spec& spec);

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_EXEC_H_
