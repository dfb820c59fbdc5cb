// SPDX-License-Identifier: Apache-2.0
//
// One argument as text. Unreadable memory is shown as its address.
#ifndef SENTRY_SYSCALLS_STRACE_FORMAT_H_
#define SENTRY_SYSCALLS_STRACE_FORMAT_H_

#include <cstdint>
#include <string>

#include "sentry/syscalls/argument_shape.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::syscalls::strace {

// "NULL" for 0.
std::string Hex(uint64_t value);

// `count` is the argument that follows: what a buffer's or an array's length is.
std::string FormatArgument(vfs::UserMemory& memory, const ArgumentShape& shape, uint64_t value,
                           uint64_t count);

}  // namespace redoubt::syscalls::strace

#endif  // SENTRY_SYSCALLS_STRACE_FORMAT_H_
