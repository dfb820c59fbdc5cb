// SPDX-License-Identifier: Apache-2.0
//
// SignalSource: pending signals, as a signalfd sees them. The kernel implements it.
//
// Linux's signalfd reads the signals of whoever calls read(2), not of its creator. The
// implementation finds "whoever calls" itself (the task that the sentry's thread serves now). When
// it is asked on a thread that serves no task, or for wake-ups, it means the process that the
// source was made for.
#ifndef SENTRY_FS_SIGNALFD_SIGNAL_SOURCE_H_
#define SENTRY_FS_SIGNALFD_SIGNAL_SOURCE_H_

#include <optional>

#include "abi/linux/signal.h"
#include "base/ref_counted.h"
#include "base/sync/wait_queue.h"

namespace redoubt::fs {

class SignalSource : public RefCounted<SignalSource> {
 public:
  virtual ~SignalSource() = default;
  // Takes the first pending signal of `set`, thread's before process's.
  virtual std::optional<abi::SignalInfo> Dequeue(abi::SignalSet set) = 0;
  virtual bool HasPending(abi::SignalSet set) = 0;
  // Woken with EPOLLIN whenever a signal becomes pending, blocked ones too.
  virtual WaitQueue& wait_queue() = 0;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_SIGNALFD_SIGNAL_SOURCE_H_
