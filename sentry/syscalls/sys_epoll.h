// SPDX-License-Identifier: Apache-2.0
//
// epoll_create(2), epoll_ctl(2), epoll_wait(2) and their forms.
#ifndef SENTRY_SYSCALLS_SYS_EPOLL_H_
#define SENTRY_SYSCALLS_SYS_EPOLL_H_

#include "abi/linux/epoll.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysEpollCreate(Task& task, int32_t size);
SyscallResult SysEpollCreate1(Task& task, uint32_t flags);
SyscallResult SysEpollCtl(Task& task, FdNumber epoll_fd, int32_t operation, FdNumber fd,
                          UserIn<abi::EpollEvent> event);
SyscallResult SysEpollWait(Task& task, FdNumber epoll_fd, UserArrayOut<abi::EpollEvent> events,
                           int32_t maximum, int32_t timeout_ms);
SyscallResult SysEpollPwait(Task& task, FdNumber epoll_fd, UserArrayOut<abi::EpollEvent> events,
                            int32_t maximum, int32_t timeout_ms, UserIn<abi::SignalSet> mask,
                            uint64_t mask_size);
SyscallResult SysEpollPwait2(Task& task, FdNumber epoll_fd, UserArrayOut<abi::EpollEvent> events,
                             int32_t maximum, UserIn<abi::Timespec> timeout,
                             UserIn<abi::SignalSet> mask, uint64_t mask_size);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_EPOLL_H_
