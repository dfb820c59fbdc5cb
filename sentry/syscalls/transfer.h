// SPDX-License-Identifier: Apache-2.0
//
// Moving data between the guest and an open file: the loops behind read(2), write(2) and their kin.
//
// Large calls are cut into pieces of Task::kIoBufferSize. A read waits only for its first piece; a
// write to something that fills up (a pipe, a stream) goes on until everything is written, unless
// the file is non-blocking or a signal comes: then what was moved so far is the result.
#ifndef SENTRY_SYSCALLS_TRANSFER_H_
#define SENTRY_SYSCALLS_TRANSFER_H_

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/user_segments.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::syscalls {

struct TransferOptions {
  // Where; none: the file's own position, which moves.
  std::optional<uint64_t> offset;
  bool nonblocking = false;  // Besides O_NONBLOCK.
  bool sync = false;         // RWF_SYNC, RWF_DSYNC: on the disk before the call returns.
};

// EBADF when the file is not open for it. SIGPIPE and SIGXFSZ are sent here.
SyscallResult ReadFile(kernel::Task& task, vfs::FileDescription& file, UserSegments& to,
                       const TransferOptions& options);
SyscallResult WriteFile(kernel::Task& task, vfs::FileDescription& file, UserSegments& from,
                        const TransferOptions& options);

// A signal that the calling thread itself caused: SIGPIPE, SIGXFSZ.
void SignalSelf(kernel::Task& task, int signal);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_TRANSFER_H_
