// SPDX-License-Identifier: Apache-2.0
//
// Making a container, up to where it waits for `start`; and what is common to its later life.
#ifndef RUNSC_CONTAINER_CREATE_H_
#define RUNSC_CONTAINER_CREATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runsc/container/state.h"
#include "runsc/sandbox/sandbox_spec.h"

namespace redoubt::runsc {

struct CreateOptions {
  std::string root;  // The state directory.
  std::string id, bundle;
  std::string pid_file, console_socket;
  int preserve_fds = 0;
  bool detached = true;   // False: `run` in the foreground, which is the container's terminal.
  bool keep_log = false;  // See MonitorParts.
  const platform::PlatformType* platform = nullptr;
  bool overlay = false, strace = false, systemd_cgroup = false, rootless = false;
};

// On an error nothing is left.
absl::StatusOr<Container> CreateContainer(const CreateOptions& options);

// Starts the first process of a created one, and runs the poststart hooks. The state must be saved
// already or is saved here.
absl::Status StartContainer(Container& container);

// Ends all its processes by SIGKILL, whatever state it is in, and takes away what it had: cgroup,
// directory. Runs the poststop hooks.
absl::Status DestroyContainer(Container& container);

// The container's control group; one without any when none was made.
absl::StatusOr<std::unique_ptr<cgroup::Cgroup>> CgroupOf(const Container& container);

// Writes `pid` as text, by a rename.
absl::Status WritePidFile(const std::string& path, pid_t pid);

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_CREATE_H_
