// SPDX-License-Identifier: Apache-2.0
//
// RootView: what /proc/PID/root of a container's pid shows to engines (podman cp): the container's
// root with its binds, in a mount namespace of the launcher's own. A view only: the sandbox itself
// gets its files from the gofer.
#ifndef RUNSC_CONTAINER_ROOT_VIEW_H_
#define RUNSC_CONTAINER_ROOT_VIEW_H_

#include "absl/status/status.h"
#include "runsc/sandbox/sandbox_spec.h"

namespace redoubt::runsc {

// Moves the calling process, which has one thread, there. What the sentry provides from its own
// memory (tmpfs, proc, dev) is not in the view. On an error the process stays where it was, or has
// a mount namespace of its own that looks like the host's.
absl::Status EnterRootView(const SandboxSpec& spec);

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_ROOT_VIEW_H_
