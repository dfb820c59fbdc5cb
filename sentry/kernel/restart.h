// SPDX-License-Identifier: Apache-2.0
//
// Restart codes: what an interrupted system call gives instead of EINTR to say how it wants to go
// on (include/linux/errno.h). They never reach a guest: signal delivery turns them into EINTR or
// into running the call again.
#ifndef SENTRY_KERNEL_RESTART_H_
#define SENTRY_KERNEL_RESTART_H_

namespace redoubt::kernel {

// Restart unless a handler without SA_RESTART runs: read, write, wait4, futex ...
inline constexpr int ERESTARTSYS = 512;
// Always restart.
inline constexpr int ERESTARTNOINTR = 513;
// Restart only when no handler runs: pause, sigsuspend, poll, epoll_wait, select.
inline constexpr int ERESTARTNOHAND = 514;
// Like ERESTARTNOHAND, but by restart_syscall(2) with Task::SetRestart's function: nanosleep.
inline constexpr int ERESTART_RESTARTBLOCK = 516;

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_RESTART_H_
