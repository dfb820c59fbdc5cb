// SPDX-License-Identifier: Apache-2.0
//
// The kernel's side of terminals (drivers/tty/tty_jobctrl.c): which one controls a session, and who
// is in its foreground.
#ifndef SENTRY_KERNEL_TERMINAL_CONTROL_H_
#define SENTRY_KERNEL_TERMINAL_CONTROL_H_

#include "sentry/fs/tty/job_control.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::kernel {

// Makes `kernel` the one that terminals ask. Once, before any guest runs.
void InstallTerminalControl(Kernel& kernel);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_TERMINAL_CONTROL_H_
