// SPDX-License-Identifier: Apache-2.0
//
// The gofer's process: a mount namespace whose root holds nothing but the container's mounts, and
// the gofer in it.
#ifndef RUNSC_SANDBOX_GOFER_PROCESS_H_
#define RUNSC_SANDBOX_GOFER_PROCESS_H_

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "runsc/sandbox/namespaces.h"
#include "runsc/sandbox/sandbox_spec.h"

namespace redoubt::runsc {

// Starts it with `socket`, the gofer's end of the channel, and spec.sources as attach points. The
// log's descriptor is kept open in it.
absl::StatusOr<Child> StartGofer(const SandboxSpec& spec, OwnedFd socket);

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_GOFER_PROCESS_H_
