// SPDX-License-Identifier: Apache-2.0
//
// A crash of the sentry is a bug, and its end is the sandbox's: before it goes, it says where.
#ifndef SENTRY_BOOT_CRASH_LOG_H_
#define SENTRY_BOOT_CRASH_LOG_H_

namespace redoubt::boot {

// Handles SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT: a line with the signal and the call stack as
// offsets into the executable (for addr2line), then the default action.
void InstallCrashLog();

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_CRASH_LOG_H_
