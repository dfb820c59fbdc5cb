// SPDX-License-Identifier: Apache-2.0
//
// What a signalfd reads from: the signals of the task that reads; wake-ups of the process that made
// it.
#ifndef SENTRY_SYSCALLS_SIGNAL_SOURCE_H_
#define SENTRY_SYSCALLS_SIGNAL_SOURCE_H_

#include "sentry/fs/signalfd/signal_source.h"
#include "sentry/kernel/task.h"

namespace redoubt::syscalls {

RefPtr<fs::SignalSource> MakeSignalSource(kernel::Task& creator);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SIGNAL_SOURCE_H_
