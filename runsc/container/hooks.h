// SPDX-License-Identifier: Apache-2.0
//
// Hooks: programs of the engine's that run on the host at points of a container's life
// (runtime-spec config.md, "POSIX-platform Hooks"), with the container's state on their standard
// input.
#ifndef RUNSC_CONTAINER_HOOKS_H_
#define RUNSC_CONTAINER_HOOKS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runsc/oci/spec.h"

namespace redoubt::runsc {

// Runs them in order, each to its end or its time-out. The first that fails ends it: the error has
// the hook's place in the list, its status and what it wrote on standard error.
absl::Status RunHooks(const char* stage, const std::vector<oci::Hook>& hooks,
                      const std::string& state);
// Runs all, and only tells of failures.
void RunHooksAndWarn(const char* stage, const std::vector<oci::Hook>& hooks,
                     const std::string& state);

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_HOOKS_H_
