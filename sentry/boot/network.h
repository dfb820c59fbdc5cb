// SPDX-License-Identifier: Apache-2.0
//
// The sandbox's network: socket families, and what they show in /proc/net.
#ifndef SENTRY_BOOT_NETWORK_H_
#define SENTRY_BOOT_NETWORK_H_

namespace redoubt::boot {

// Once, before the first task.
void RegisterNetwork();

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_NETWORK_H_
