// SPDX-License-Identifier: Apache-2.0
//
// Control messages (cmsg(3)) from and to guests: SCM_RIGHTS numbers become open files and back,
// SCM_CREDENTIALS is checked for its size; who may claim what is the socket family's business.
#ifndef SENTRY_SYSCALLS_CONTROL_MESSAGE_H_
#define SENTRY_SYSCALLS_CONTROL_MESSAGE_H_

#include <cstdint>

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/socket.h"

namespace redoubt::syscalls {

// Copies the `length` bytes at `address` once and parses them. EINVAL for broken ones, ENOBUFS for
// too many, EBADF for a descriptor that is not open.
Result<sockets::ControlData> ReadControl(kernel::Task& task, uint64_t address, uint64_t length);

struct ControlOut {
  uint64_t bytes = 0;      // Written.
  bool truncated = false;  // Something did not fit: MSG_CTRUNC.
};
// Installs the files and writes all messages into the `capacity` bytes at `address`; what does not
// fit is dropped.
Result<ControlOut> WriteControl(kernel::Task& task, sockets::ControlData control, uint64_t address,
                                uint64_t capacity, bool close_on_exec);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_CONTROL_MESSAGE_H_
