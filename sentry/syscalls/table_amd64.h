// SPDX-License-Identifier: Apache-2.0
//
// The table of amd64's system calls (arch/x86/entry/syscalls/syscall_64.tbl).
#ifndef SENTRY_SYSCALLS_TABLE_AMD64_H_
#define SENTRY_SYSCALLS_TABLE_AMD64_H_

#include <span>

#include "sentry/syscalls/entry.h"

namespace redoubt::syscalls {

// In ascending order of number.
std::span<const SyscallEntry> Amd64Table();

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_TABLE_AMD64_H_
