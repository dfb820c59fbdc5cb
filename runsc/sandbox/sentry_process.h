// SPDX-License-Identifier: Apache-2.0
//
// The sentry's process: all namespaces of its own, the launcher's descriptors it is given, no
// others.
#ifndef RUNSC_SANDBOX_SENTRY_PROCESS_H_
#define RUNSC_SANDBOX_SENTRY_PROCESS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "runsc/sandbox/namespaces.h"
#include "runsc/sandbox/sandbox_spec.h"

namespace redoubt::runsc {

struct SentryEnds {
  OwnedFd control;
  OwnedFd gofer;
  std::vector<OwnedFd> descriptors;  // The guest's 0, 1, 2; invalid ones are closed for it.
};

absl::StatusOr<Child> StartSentry(const SandboxSpec& spec, SentryEnds ends);

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_SENTRY_PROCESS_H_
