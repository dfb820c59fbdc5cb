// SPDX-License-Identifier: Apache-2.0
//
// Launch: starts the two processes of a sandbox, joined by their sockets. They die with the process
// that launched them, and with this object.
#ifndef RUNSC_SANDBOX_LAUNCH_H_
#define RUNSC_SANDBOX_LAUNCH_H_

#include <vector>

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "runsc/sandbox/namespaces.h"
#include "runsc/sandbox/sandbox_spec.h"
#include "sentry/boot/control.h"

namespace redoubt::runsc {

// A child process that is gone, one way or the other, when this object is.
class ReapedChild {
 public:
  explicit ReapedChild(Child child) : child_(std::move(child)) {}
  ReapedChild(ReapedChild&&) = default;
  ~ReapedChild();
  pid_t pid() const { return child_.pid; }
  int pidfd() const { return child_.pidfd.get(); }

 private:
  Child child_;
};

struct LaunchedSandbox {
  boot::ControlSocket control;  // The launcher's end.
  ReapedChild gofer, sentry;
};

// `descriptors`: the first process's 0, 1, 2 ...; they are the sentry's from then on.
absl::StatusOr<LaunchedSandbox> Launch(const SandboxSpec& spec, std::vector<OwnedFd> descriptors);

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_LAUNCH_H_
