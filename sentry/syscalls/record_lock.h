// SPDX-License-Identifier: Apache-2.0
//
// Record locks: fcntl(2)'s F_SETLK, F_SETLKW, F_GETLK and their F_OFD_ forms (Linux's fs/locks.c).
#ifndef SENTRY_SYSCALLS_RECORD_LOCK_H_
#define SENTRY_SYSCALLS_RECORD_LOCK_H_

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// `argument` is the address of a struct flock. `command`: one of the six.
SyscallResult SetRecordLock(Task& task, vfs::FileDescription& file, int command, uint64_t argument);
SyscallResult GetRecordLock(Task& task, vfs::FileDescription& file, int command, uint64_t argument);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_RECORD_LOCK_H_
