// SPDX-License-Identifier: Apache-2.0
//
// What all System V messages of the sandbox together may take: they lie in the sentry's memory, and
// the queues' own limits times their number would be too much.
#ifndef SENTRY_IPC_MESSAGE_BUDGET_H_
#define SENTRY_IPC_MESSAGE_BUDGET_H_

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace redoubt::ipc {

// ENOMEM when there is no room for a message of `size` bytes.
Result<void> ChargeMessage(size_t size);
// `count` messages with `bytes` together are gone.
void ReleaseMessages(uint64_t count, uint64_t bytes);

}  // namespace redoubt::ipc

#endif  // SENTRY_IPC_MESSAGE_BUDGET_H_
