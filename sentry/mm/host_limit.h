// SPDX-License-Identifier: Apache-2.0
//
// Limits on memory are enforced by the host, on the stub.
#ifndef SENTRY_MM_HOST_LIMIT_H_
#define SENTRY_MM_HOST_LIMIT_H_

#include <cstdint>

#include "sentry/mm/memory_map.h"

namespace redoubt::mm {

// Gives the stub the soft limit `current` for RLIMIT_STACK, RLIMIT_AS or RLIMIT_MEMLOCK; other
// resources are the sentry's own. Only the soft limit: the sentry has no right to raise a hard one
// again, which the guest's root has. What the shim takes is not counted against the guest. A fork
// of the stub inherits the limit, a pristine one does not.
void PassLimitToHost(const MemoryMap& memory, int resource, uint64_t current);

}  // namespace redoubt::mm

#endif  // SENTRY_MM_HOST_LIMIT_H_
