// SPDX-License-Identifier: Apache-2.0
//
// Numbers by the names that Linux's headers give them.
#ifndef SENTRY_SYSCALLS_STRACE_NAMES_H_
#define SENTRY_SYSCALLS_STRACE_NAMES_H_

#include <cstdint>
#include <string>

#include "sentry/syscalls/argument_shape.h"

namespace redoubt::syscalls::strace {

// A number of one of the named kinds; digits when it has no name.
std::string FormatNamed(ArgumentKind kind, uint64_t value);

// "SIGINT", "SIGRT_2", or digits.
std::string SignalName(int signal);
// "[INT CHLD]", "~[KILL STOP]" when most are set.
std::string SignalSetText(uint64_t bits);

}  // namespace redoubt::syscalls::strace

#endif  // SENTRY_SYSCALLS_STRACE_NAMES_H_
