// SPDX-License-Identifier: Apache-2.0
//
// Delivery: the frame that a handler runs on (arch/x86/kernel/signal_64.c), and the way back.
#ifndef SENTRY_KERNEL_SIGNAL_DELIVERY_H_
#define SENTRY_KERNEL_SIGNAL_DELIVERY_H_

#include "base/result.h"
#include "sentry/kernel/task.h"

namespace redoubt::kernel {

// Builds a frame for `info` on the guest's stack and points the registers at `action`'s handler.
// `old_mask` is what rt_sigreturn will restore. EFAULT when the stack cannot take it.
Result<void> BuildSignalFrame(Task& task, const SignalInfo& info, const SignalAction& action,
                              SignalSet old_mask);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_SIGNAL_DELIVERY_H_
