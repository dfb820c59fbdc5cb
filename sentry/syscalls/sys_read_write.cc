// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_read_write.h"

#include <linux/fs.h>
#include <unistd.h>

#include "sentry/syscalls/transfer.h"

namespace redoubt::syscalls {

namespace {

// RWF_APPEND is not served: a file appends by its own flag only.
constexpr uint32_t kServedFlags = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT;

struct AtOffset {
  FileRef file;
  TransferOptions options;
};

// The order of pread(2)'s errors: offset, descriptor, then whether the file has positions.
Result<AtOffset> OpenAtOffset(Task& task, int fd, int64_t offset) {
  if (offset < 0) return Errno(EINVAL);
  AtOffset result;
  result.file = TRY(task.fd_table()->GetForIo(fd));
  result.options.offset = static_cast<uint64_t>(offset);
  return result;
}

// preadv2 and pwritev2: offset -1 is the file's own position.
Result<AtOffset> OpenWithFlags(Task& task, int fd, int64_t offset, uint32_t flags) {
  AtOffset result;
  if (offset == -1) {
    result.file = TRY(task.fd_table()->GetForIo(fd));
  } else {
    result = TRY(OpenAtOffset(task, fd, offset));
  }
  if ((flags & ~kServedFlags) != 0) return Errno(EOPNOTSUPP);
  result.options.nonblocking = (flags & RWF_NOWAIT) != 0;
  result.options.sync = (flags & (RWF_DSYNC | RWF_SYNC)) != 0;
  return result;
}

}  // namespace

SyscallResult SysRead(Task& task, FdNumber fd, UserBytesOut buffer, uint64_t count) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (!file->readable()) return Errno(EBADF);
  UserSegments to = TRY(UserSegments::FromBuffer(buffer.address(), count));
  return ReadFile(task, *file, to, {});
}

SyscallResult SysWrite(Task& task, FdNumber fd, UserBytesIn buffer, uint64_t count) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (!file->writable()) return Errno(EBADF);
  UserSegments from = TRY(UserSegments::FromBuffer(buffer.address(), count));
  return WriteFile(task, *file, from, {});
}

SyscallResult SysPread64(Task& task, FdNumber fd, UserBytesOut buffer, uint64_t count,
                         int64_t offset) {
  AtOffset at = TRY(OpenAtOffset(task, fd, offset));
  UserSegments to = TRY(UserSegments::FromBuffer(buffer.address(), count));
  return ReadFile(task, *at.file, to, at.options);
}

SyscallResult SysPwrite64(Task& task, FdNumber fd, UserBytesIn buffer, uint64_t count,
                          int64_t offset) {
  AtOffset at = TRY(OpenAtOffset(task, fd, offset));
  UserSegments from = TRY(UserSegments::FromBuffer(buffer.address(), count));
  return WriteFile(task, *at.file, from, at.options);
}

SyscallResult SysReadv(Task& task, FdNumber fd, UserIovecOut iov, uint64_t count) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (!file->readable()) return Errno(EBADF);
  UserSegments to = TRY(UserSegments::FromIovec(task, iov.address(), count));
  return ReadFile(task, *file, to, {});
}

SyscallResult SysWritev(Task& task, FdNumber fd, UserIovecIn iov, uint64_t count) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (!file->writable()) return Errno(EBADF);
  UserSegments from = TRY(UserSegments::FromIovec(task, iov.address(), count));
  return WriteFile(task, *file, from, {});
}

SyscallResult SysPreadv(Task& task, FdNumber fd, UserIovecOut iov, uint64_t count, int64_t offset) {
  AtOffset at = TRY(OpenAtOffset(task, fd, offset));
  UserSegments to = TRY(UserSegments::FromIovec(task, iov.address(), count));
  return ReadFile(task, *at.file, to, at.options);
}

SyscallResult SysPwritev(Task& task, FdNumber fd, UserIovecIn iov, uint64_t count, int64_t offset) {
  AtOffset at = TRY(OpenAtOffset(task, fd, offset));
  UserSegments from = TRY(UserSegments::FromIovec(task, iov.address(), count));
  return WriteFile(task, *at.file, from, at.options);
}

SyscallResult SysPreadv2(Task& task, FdNumber fd, UserIovecOut iov, uint64_t count, int64_t offset,
                         uint64_t, uint32_t flags) {
  AtOffset at = TRY(OpenWithFlags(task, fd, offset, flags));
  UserSegments to = TRY(UserSegments::FromIovec(task, iov.address(), count));
  return ReadFile(task, *at.file, to, at.options);
}

SyscallResult SysPwritev2(Task& task, FdNumber fd, UserIovecIn iov, uint64_t count, int64_t offset,
                          uint64_t, uint32_t flags) {
  AtOffset at = TRY(OpenWithFlags(task, fd, offset, flags));
  UserSegments from = TRY(UserSegments::FromIovec(task, iov.address(), count));
  return WriteFile(task, *at.file, from, at.options);
}

SyscallResult SysLseek(Task& task, FdNumber fd, int64_t offset, uint32_t whence) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (whence > SEEK_HOLE) return Errno(EINVAL);
  int64_t position = TRY(file->Seek(offset, static_cast<int>(whence)));
  return static_cast<uint64_t>(position);
}

}  // namespace redoubt::syscalls
