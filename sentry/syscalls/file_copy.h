// SPDX-License-Identifier: Apache-2.0
//
// FileCopy: data from one open file to another through the task's buffer, for sendfile(2),
// splice(2) and copy_file_range(2). The host shares nothing between the two: pages are copied.
#ifndef SENTRY_SYSCALLS_FILE_COPY_H_
#define SENTRY_SYSCALLS_FILE_COPY_H_

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::syscalls {

// One end of a copy. An offset, if there is one, moves instead of the file's position.
struct CopyEnd {
  vfs::FileDescription& file;
  std::optional<uint64_t> offset = std::nullopt;
  bool may_wait = false;
};

// Copies up to `length` bytes. Waits for the first ones only at the source; at the destination, for
// all that was read. What was copied, or the error when nothing was. The offsets tell how far.
SyscallResult CopyFile(kernel::Task& task, CopyEnd& from, CopyEnd& to, uint64_t length);
// From a pipe: what cannot be written stays in it.
SyscallResult CopyFromPipe(kernel::Task& task, CopyEnd& from, CopyEnd& to, uint64_t length,
                           bool consume);

// An offset argument that may be null. EINVAL for a negative one.
Result<std::optional<uint64_t>> ReadOffset(kernel::Task& task, uint64_t address);
Result<void> WriteOffset(kernel::Task& task, uint64_t address, const CopyEnd& end);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_FILE_COPY_H_
