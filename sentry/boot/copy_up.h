// SPDX-License-Identifier: Apache-2.0
//
// CopyUp: what a tmpfs mounted with runc's option tmpcopyup begins with: a copy of the directory
// that it covers.
#ifndef SENTRY_BOOT_COPY_UP_H_
#define SENTRY_BOOT_COPY_UP_H_

#include "base/result.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/path.h"

namespace redoubt::boot {

// Copies what is in the directory `from`, with owners and modes, into the directory `to`. Mounts
// below `from` are not entered. E2BIG beyond 100,000 files or 64 levels.
Result<void> CopyUp(const vfs::Caller& caller, const vfs::Path& from, const vfs::Path& to);

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_COPY_UP_H_
