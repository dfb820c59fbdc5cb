// SPDX-License-Identifier: Apache-2.0
//
// The system as a whole: uname(2), sysinfo(2), getrandom(2), sethostname(2), syslog(2); and the two
// small ones of a process's file system view, umask(2) and chroot(2).
#ifndef SENTRY_SYSCALLS_SYS_SYSTEM_H_
#define SENTRY_SYSCALLS_SYS_SYSTEM_H_

#include "abi/linux/resource.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

SyscallResult SysUname(Task& task, UserOut<abi::UtsName> name);
SyscallResult SysSysinfo(Task& task, UserOut<abi::SystemInfo> info);
SyscallResult SysGetrandom(Task& task, UserBytesOut buffer, uint64_t count, uint32_t flags);
SyscallResult SysSethostname(Task& task, UserBytesIn name, int32_t length);
SyscallResult SysSetdomainname(Task& task, UserBytesIn name, int32_t length);
SyscallResult SysSyslog(Task& task, int32_t type, UserBytesOut buffer, int32_t length);
SyscallResult SysUmask(Task& task, FileMode mask);
SyscallResult SysChroot(Task& task, UserPath path);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SYS_SYSTEM_H_
