// SPDX-License-Identifier: Apache-2.0
//
// Signals to the owners of sockets (fcntl F_SETOWN): sockets know no tasks, so boot joins the two.
#ifndef SENTRY_BOOT_OWNER_SIGNAL_H_
#define SENTRY_BOOT_OWNER_SIGNAL_H_

#include "sentry/kernel/kernel.h"

namespace redoubt::boot {

void InstallOwnerSignals(kernel::Kernel& kernel);

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_OWNER_SIGNAL_H_
