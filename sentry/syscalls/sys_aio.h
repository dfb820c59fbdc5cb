// SPDX-License-Identifier: Apache-2.0
//
// io_setup(2), io_destroy(2), io_submit(2), io_cancel(2), io_getevents(2), io_pgetevents(2).
#ifndef SENTRY_SYSCALLS_SYS_AIO_H_
#define SENTRY_SYSCALLS_SYS_AIO_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysIoSetup(Task& task, uint32_t requests, UserInOut<uint64_t> context);
SyscallResult SysIoDestroy(Task& task, UserAddress context);
SyscallResult SysIoSubmit(Task& task, UserAddress context, int64_t count, UserAddress requests);
SyscallResult SysIoCancel(Task& task, UserAddress context, UserAddress request, UserAddress result);
SyscallResult SysIoGetevents(Task& task, UserAddress context, int64_t least, int64_t most,
                             UserAddress events, UserIn<abi::Timespec> timeout);
SyscallResult SysIoPgetevents(Task& task, UserAddress context, int64_t least, int64_t most,
                              UserAddress events, UserIn<abi::Timespec> timeout,
                              UserAddress signal_mask);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_AIO_H_
