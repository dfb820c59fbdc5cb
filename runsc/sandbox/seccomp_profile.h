// SPDX-License-Identifier: Apache-2.0
//
// AddSeccomp: a container's linux.seccomp (its JSON; empty: none) for one of its processes.
#ifndef RUNSC_SANDBOX_SECCOMP_PROFILE_H_
#define RUNSC_SANDBOX_SECCOMP_PROFILE_H_

#include <string>

#include "absl/status/status.h"
#include "sentry/boot/control.pb.h"

namespace redoubt::runsc {

// Refuses what cannot be enforced (a listener for SCMP_ACT_NOTIFY).
absl::Status AddSeccomp(const std::string& profile, boot::ProcessSpec& process);

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_SECCOMP_PROFILE_H_
