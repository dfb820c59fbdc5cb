// SPDX-License-Identifier: Apache-2.0
//
// Who asks for a System V object: as for files, but by the effective ids.
#ifndef SENTRY_SYSCALLS_IPC_CALLER_H_
#define SENTRY_SYSCALLS_IPC_CALLER_H_

#include "sentry/kernel/task.h"

namespace redoubt::syscalls {

inline vfs::Caller IpcCaller(const kernel::Task& task) {
  vfs::Caller caller = task.MakeCaller();
  RefPtr<kernel::Credentials> credentials = task.credentials();
  caller.uid = credentials->euid;
  caller.gid = credentials->egid;
  return caller;
}

// IPC_64: libc sets it nowhere on amd64; the kernel takes it off.
inline constexpr int32_t kIpc64 = 0x100;

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_IPC_CALLER_H_
