// SPDX-License-Identifier: Apache-2.0
//
// The zygote: the first stub, from which all others are forked. It never runs guest code. It is
// started while the sentry has one thread and may still make any host call: after that, the sentry
// needs neither fork nor exec.
#ifndef PLATFORM_SECCOMP_TRAP_ZYGOTE_H_
#define PLATFORM_SECCOMP_TRAP_ZYGOTE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "platform/seccomp_trap/stub_context.h"

namespace redoubt::platform::seccomp_trap {

// Starts the stub executable, empties its address space, installs the filter and fills in
// `machine`. The context waits for commands.
absl::StatusOr<std::unique_ptr<StubContext>> StartZygote(Machine& machine);

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_ZYGOTE_H_
