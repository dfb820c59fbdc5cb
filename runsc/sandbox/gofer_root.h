// SPDX-License-Identifier: Apache-2.0
//
// The gofer's root file system: a small tmpfs with one directory (or file) per attach point, on
// which the host's tree is bind-mounted. After it is entered, nothing else of the host can be
// named.
#ifndef RUNSC_SANDBOX_GOFER_ROOT_H_
#define RUNSC_SANDBOX_GOFER_ROOT_H_

#include <vector>

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "runsc/sandbox/sandbox_spec.h"

namespace redoubt::runsc {

// In a process with its own mount namespace and the right to mount: builds the root from `sources`,
// enters it, and gives an O_PATH descriptor for each. Kernel file systems (proc, sysfs, devices
// ...) mounted below a source are covered by empty ones: they are the host's, not files.
absl::StatusOr<std::vector<OwnedFd>> EnterGoferRoot(const std::vector<GoferSource>& sources);

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_GOFER_ROOT_H_
