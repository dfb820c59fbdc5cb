// SPDX-License-Identifier: Apache-2.0
//
// Robust futexes of a task that leaves (get_robust_list(2)). Lock words hold the guest's thread
// ids, which the host does not know, so the sentry walks the list, not the host.
#ifndef SENTRY_KERNEL_ROBUST_LIST_H_
#define SENTRY_KERNEL_ROBUST_LIST_H_

#include "sentry/kernel/task.h"

namespace redoubt::kernel {

// Marks every lock that `task` still holds FUTEX_OWNER_DIED and wakes a waiter. A hostile list is
// followed for 2048 entries at most and dropped at the first bad address, as Linux does.
void ReleaseRobustList(Task& task);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_ROBUST_LIST_H_
