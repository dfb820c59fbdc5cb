// SPDX-License-Identifier: Apache-2.0
//
// The monitor: the process that stands for a container on the host. Its pid is the container's: it
// lives as long, is in its cgroup and network namespace, shows its files (root_view.h), passes
// signals on, and ends with the status of the container's first process, or by its signal. It
// launched sentry and gofer, who die with it; and it listens for the other commands (control.sock).
//
//   create --fork--> monitor               create waits on `sync`:
//                       "ready"            the namespaces are there; hooks may run
//     "go" -->                             it is in its cgroup
//                       "created S G"      pids of sentry and gofer; or "error WHAT"
//
// When create goes before it said so, so does the monitor. It keeps nothing of create's: its
// standard descriptors are /dev/null.
#ifndef RUNSC_CONTAINER_MONITOR_H_
#define RUNSC_CONTAINER_MONITOR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "runsc/container/state.h"
#include "runsc/oci/spec.h"
#include "runsc/sandbox/sandbox_spec.h"

namespace redoubt::runsc {

struct MonitorParts {
  Container* container = nullptr;
  oci::Spec spec;
  SandboxSpec sandbox;
  OwnedFd listener;
  std::string console_socket;  // Empty: the first process gets our own descriptors.
  bool keep_log = false;       // The log is a file of its own, not the caller's standard error.
  int preserve_fds = 0;        // Descriptors from 3 on that go to the first process too.
};

// The other end of `sync`.
class MonitorLink {
 public:
  explicit MonitorLink(OwnedFd socket) : socket_(std::move(socket)) {}
  absl::Status Send(const std::string& text);
  // Waits for a message, which begins with `word`; gives the rest. An "error" is one.
  absl::StatusOr<std::string> Expect(const std::string& word);
  int fd() const { return socket_.get(); }
  void Close() { socket_.Reset(); }

 private:
  OwnedFd socket_;
};

// In the forked child; `link` is its end.
[[noreturn]] void RunMonitor(MonitorParts parts, MonitorLink link);

// Ends this process as `status` (wait4 form) says: by the same code, or the same signal.
[[noreturn]] void EndAs(int status);

// Moves descriptors 0 to 2 + `preserved` out of the way, puts /dev/null on 0, 1, 2, and closes all
// others but `kept`. A closed one stays invalid in the result.
std::vector<OwnedFd> TakeDescriptors(int preserved, std::vector<int> kept);

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_MONITOR_H_
