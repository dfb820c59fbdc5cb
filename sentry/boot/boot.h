// SPDX-License-Identifier: Apache-2.0
//
// Boot: from a SentryConfig to a running Kernel, in a process that has its namespaces already
// (runsc/sandbox makes them) and gives up everything else here.
#ifndef SENTRY_BOOT_BOOT_H_
#define SENTRY_BOOT_BOOT_H_

#include "sentry/boot/sentry_config.h"

namespace redoubt::boot {

// Runs the sandbox to its end and never returns: the process exits with 0 when the guest's status
// went out on the control socket, else with 1 after a line in the log.
[[noreturn]] void RunSentry(SentryConfig config);

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_BOOT_H_
