// SPDX-License-Identifier: Apache-2.0
//
// RunSandbox: starts a gofer and a sentry, passes signals on, waits for the end. Whatever happens,
// no process of the sandbox is left when it returns.
#ifndef RUNSC_SANDBOX_SANDBOX_H_
#define RUNSC_SANDBOX_SANDBOX_H_

#include <signal.h>

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "runsc/sandbox/sandbox_spec.h"

namespace redoubt::runsc {

struct SandboxOutcome {
  int status = 0;  // wait4 form, when the command ran.
  // The command could not be started: errno of its execve(2), and a sentence. 0: it ran.
  int start_error = 0;
  std::string start_message;
};

// Signals that are the guest's, not its launcher's.
sigset_t ForwardedSignals();

struct SandboxOptions {
  std::function<void()> after_launch = {};  // Both processes have been forked; may be empty.
};

// A Status is a failure of the sandbox itself.
absl::StatusOr<SandboxOutcome> RunSandbox(const SandboxSpec& spec,
                                          const SandboxOptions& options = {});

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_SANDBOX_H_
