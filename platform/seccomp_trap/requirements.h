// SPDX-License-Identifier: Apache-2.0
//
// What this platform needs of the host's kernel, and of the sentry's own filter.
#ifndef PLATFORM_SECCOMP_TRAP_REQUIREMENTS_H_
#define PLATFORM_SECCOMP_TRAP_REQUIREMENTS_H_

#include <vector>

#include "absl/status/status.h"
#include "base/host/allowed_call.h"

namespace redoubt::platform::seccomp_trap {

absl::Status CheckHost();
std::vector<host::AllowedCall> HostCalls();

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_REQUIREMENTS_H_
