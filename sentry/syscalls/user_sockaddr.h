// SPDX-License-Identifier: Apache-2.0
//
// Socket addresses from and to guests.
#ifndef SENTRY_SYSCALLS_USER_SOCKADDR_H_
#define SENTRY_SYSCALLS_USER_SOCKADDR_H_

#include <cstdint>

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/address.h"

namespace redoubt::syscalls {

// EINVAL for a length that is negative or longer than any address.
Result<sockets::SocketAddress> ReadSocketAddress(kernel::Task& task, uint64_t address,
                                                 int32_t length);

// Writes as much as fits into the `capacity` bytes at `user`. EINVAL when that is negative.
Result<void> WriteSocketAddress(kernel::Task& task, const sockets::SocketAddress& address,
                                uint64_t user, int32_t capacity);
// The same with a length word that says how much fits, and is told the whole length. Nothing
// happens when `user` is null.
Result<void> WriteSocketAddressAndLength(kernel::Task& task, const sockets::SocketAddress& address,
                                         uint64_t user, uint64_t user_length);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_USER_SOCKADDR_H_
