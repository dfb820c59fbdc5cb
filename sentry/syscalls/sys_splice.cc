// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_splice.h"

#include <fcntl.h>

#include <algorithm>

#include "sentry/fs/pipe/pipe_file.h"
#include "sentry/syscalls/file_copy.h"
#include "sentry/syscalls/transfer.h"

namespace redoubt::syscalls {

namespace {

constexpr uint32_t kSpliceFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;

Result<FileRef> GetReadable(Task& task, int fd) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (!file->readable()) return Errno(EBADF);
  return file;
}

Result<FileRef> GetWritable(Task& task, int fd) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (!file->writable()) return Errno(EBADF);
  return file;
}

// The two ends of a splice(2) and which of them are pipes.
struct Ends {
  FileRef in;
  FileRef out;
  fs::Pipe* in_pipe = nullptr;
  fs::Pipe* out_pipe = nullptr;
};

Result<Ends> GetEnds(Task& task, int in_fd, int out_fd) {
  Ends ends;
  ends.in = TRY(GetReadable(task, in_fd));
  ends.out = TRY(GetWritable(task, out_fd));
  ends.in_pipe = fs::PipeOf(*ends.in);
  ends.out_pipe = fs::PipeOf(*ends.out);
  return ends;
}

// do_splice()'s checks.
Result<void> CheckSplice(const Ends& ends, bool in_offset, bool out_offset) {
  if (ends.in_pipe == nullptr && ends.out_pipe == nullptr) return Errno(EINVAL);
  if ((ends.in_pipe != nullptr && in_offset) || (ends.out_pipe != nullptr && out_offset)) {
    return Errno(ESPIPE);
  }
  if (ends.in_pipe != nullptr && ends.in_pipe == ends.out_pipe) return Errno(EINVAL);
  if (ends.out_pipe == nullptr && (ends.out->flags() & O_APPEND) != 0) return Errno(EINVAL);
  return {};
}

// A splice into a pipe takes no more than the pipe has room for, and waits until it has some.
SyscallResult SpliceIntoPipe(Task& task, CopyEnd& from, CopyEnd& to, fs::Pipe& pipe,
                             uint64_t length) {
  size_t capacity = pipe.capacity();
  size_t held = pipe.BytesReadable();
  size_t room = capacity > held ? capacity - held : fs::kPipePageSize;
  return CopyFile(task, from, to, std::min<uint64_t>(length, room));
}

Result<void> CheckCopyRange(const vfs::FileDescription& in, const vfs::FileDescription& out) {
  if (in.inode()->IsDirectory() || out.inode()->IsDirectory()) return Errno(EISDIR);
  if (!in.inode()->IsRegular() || !out.inode()->IsRegular()) return Errno(EINVAL);
  if ((out.flags() & O_APPEND) != 0) return Errno(EBADF);
  return {};
}

// Where a copy without an offset argument works; the position is moved afterwards.
Result<uint64_t> StartAt(vfs::FileDescription& file, const std::optional<uint64_t>& offset) {
  if (offset) return *offset;
  return static_cast<uint64_t>(TRY(file.Seek(0, SEEK_CUR)));
}

}  // namespace

SyscallResult SysSendfile(Task& task, FdNumber out_fd, FdNumber in_fd, UserInOut<int64_t> offset,
                          uint64_t count) {
  std::optional<uint64_t> start = TRY(ReadOffset(task, offset.address()));
  FileRef in = TRY(GetReadable(task, in_fd));
  FileRef out = TRY(GetWritable(task, out_fd));
  if ((out->flags() & O_APPEND) != 0) return Errno(EINVAL);
  uint32_t type = in->inode()->type();
  // What has no positions would lose what the other end does not take.
  if (type != S_IFREG && type != S_IFBLK) return Errno(EINVAL);
  CopyEnd from{.file = *in, .offset = start};
  CopyEnd to{.file = *out, .may_wait = !out->nonblocking()};
  SyscallResult result = CopyFile(task, from, to, std::min(count, kMaximumTransfer));
  TRY(WriteOffset(task, offset.address(), from));
  return result;
}

SyscallResult SysSplice(Task& task, FdNumber in_fd, UserInOut<int64_t> in_offset, FdNumber out_fd,
                        UserInOut<int64_t> out_offset, uint64_t length, uint32_t flags) {
  if (length == 0) return 0UL;
  if ((flags & ~kSpliceFlags) != 0) return Errno(EINVAL);
  Ends ends = TRY(GetEnds(task, in_fd, out_fd));
  TRY(CheckSplice(ends, static_cast<bool>(in_offset), static_cast<bool>(out_offset)));
  length = std::min(length, kMaximumTransfer);
  // The flag speaks of the pipes; O_NONBLOCK of each file.
  bool wait = (flags & SPLICE_F_NONBLOCK) == 0;
  CopyEnd from{.file = *ends.in,
               .may_wait = (wait || ends.in_pipe == nullptr) && !ends.in->nonblocking()};
  from.offset = TRY(ReadOffset(task, in_offset.address()));
  CopyEnd to{.file = *ends.out,
             .may_wait = (wait || ends.out_pipe == nullptr) && !ends.out->nonblocking()};
  to.offset = TRY(ReadOffset(task, out_offset.address()));
  SyscallResult result = ends.in_pipe != nullptr
                             ? CopyFromPipe(task, from, to, length, true)
                             : SpliceIntoPipe(task, from, to, *ends.out_pipe, length);
  TRY(WriteOffset(task, in_offset.address(), from));
  TRY(WriteOffset(task, out_offset.address(), to));
  return result;
}

SyscallResult SysTee(Task& task, FdNumber in_fd, FdNumber out_fd, uint64_t length, uint32_t flags) {
  if ((flags & ~kSpliceFlags) != 0) return Errno(EINVAL);
  if (length == 0) return 0UL;
  Ends ends = TRY(GetEnds(task, in_fd, out_fd));
  if (ends.in_pipe == nullptr || ends.out_pipe == nullptr || ends.in_pipe == ends.out_pipe) {
    return Errno(EINVAL);
  }
  bool wait = (flags & SPLICE_F_NONBLOCK) == 0;
  CopyEnd from{.file = *ends.in, .may_wait = wait && !ends.in->nonblocking()};
  CopyEnd to{.file = *ends.out, .may_wait = wait && !ends.out->nonblocking()};
  return CopyFromPipe(task, from, to, std::min(length, kMaximumTransfer), false);
}

// The guest's pages are copied: SPLICE_F_GIFT is only a hint.
SyscallResult SysVmsplice(Task& task, FdNumber fd, UserAddress iov, uint64_t count,
                          uint32_t flags) {
  if ((flags & ~kSpliceFlags) != 0) return Errno(EINVAL);
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (fs::PipeOf(*file) == nullptr) return Errno(EBADF);
  UserSegments segments = TRY(UserSegments::FromIovec(task, iov.address(), count));
  if (segments.total() == 0) return 0UL;
  TransferOptions options{.offset = std::nullopt, .nonblocking = (flags & SPLICE_F_NONBLOCK) != 0};
  if (file->writable()) return WriteFile(task, *file, segments, options);
  return ReadFile(task, *file, segments, options);
}

SyscallResult SysCopyFileRange(Task& task, FdNumber in_fd, UserInOut<int64_t> in_offset,
                               FdNumber out_fd, UserInOut<int64_t> out_offset, uint64_t length,
                               uint32_t flags) {
  FileRef in = TRY(task.fd_table()->GetForIo(in_fd));
  FileRef out = TRY(task.fd_table()->GetForIo(out_fd));
  CopyEnd from{.file = *in};
  from.offset = TRY(ReadOffset(task, in_offset.address()));
  CopyEnd to{.file = *out};
  to.offset = TRY(ReadOffset(task, out_offset.address()));
  if (flags != 0) return Errno(EINVAL);
  TRY(CheckCopyRange(*in, *out));
  if (!in->readable() || !out->writable()) return Errno(EBADF);
  length = std::min(length, kMaximumTransfer);
  uint64_t in_start = TRY(StartAt(*in, from.offset));
  uint64_t out_start = TRY(StartAt(*out, to.offset));
  uint64_t end;
  if (__builtin_add_overflow(in_start, length, &end) ||
      __builtin_add_overflow(out_start, length, &end)) {
    return Errno(EOVERFLOW);
  }
  bool overlap = in_start < out_start + length && out_start < in_start + length;
  if (in->inode() == out->inode() && overlap && length > 0) return Errno(EINVAL);
  SyscallResult result = CopyFile(task, from, to, length);
  TRY(WriteOffset(task, in_offset.address(), from));
  TRY(WriteOffset(task, out_offset.address(), to));
  return result;
}

}  // namespace redoubt::syscalls
