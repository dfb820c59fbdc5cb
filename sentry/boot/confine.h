// SPDX-License-Identifier: Apache-2.0
//
// What the sentry gives up before guest code runs (DESIGN invariant 4): every file, every
// capability, every host call that is not in its list.
#ifndef SENTRY_BOOT_CONFINE_H_
#define SENTRY_BOOT_CONFINE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/host/allowed_call.h"
#include "base/owned_fd.h"

namespace redoubt::boot {

// A detached procfs of this PID namespace (subset=pid), to read the stubs' maps and counters. An
// invalid descriptor where the host does not allow one: /proc/PID/maps is then empty for guests.
OwnedFd OpenProcfs();

// Makes an empty read-only directory the root of this mount namespace.
absl::Status EnterEmptyRoot();
// Drops all capabilities from all sets, with no_new_privs.
absl::Status DropCapabilities();

// The sentry's allow-list, each with its reason. `procfs` as from OpenProcfs; `platform_calls` is
// what the platform requires.
std::vector<host::AllowedCall> SentryCalls(int log_fd, int procfs, int control, int gofer,
                                           std::vector<host::AllowedCall> platform_calls);
// The same as text, for `runsc` to show.
std::string DescribeSentryCalls(std::vector<host::AllowedCall> platform_calls);
absl::Status InstallSentryFilter(const std::vector<host::AllowedCall>& calls, bool log_breaches);

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_CONFINE_H_
