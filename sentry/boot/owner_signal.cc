// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/owner_signal.h"

#include "sentry/kernel/signal_send.h"
#include "sentry/kernel/task.h"
#include "sentry/socket/socket.h"

namespace redoubt::boot {

void InstallOwnerSignals(kernel::Kernel& kernel) {
  sockets::SetOwnerSignaller([&kernel](int owner, int signal) {
    const kernel::SignalInfo info = kernel::KernelSignal(signal);
    if (owner < 0) {
      (void)kernel::SendSignalToProcessGroup(kernel, -owner, info);
      return;
    }
    Result<RefPtr<kernel::Task>> task = kernel.tasks().Find(owner);
    if (task.ok()) (void)kernel::SendSignal(*(*task)->group(), info);
  });
}

}  // namespace redoubt::boot
