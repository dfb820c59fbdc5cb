// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/file_copy.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "sentry/fs/pipe/pipe_file.h"
#include "sentry/kernel/thread_group.h"
#include "sentry/syscalls/blocking.h"
#include "sentry/syscalls/transfer.h"
#include "sentry/vfs/notify.h"

namespace redoubt::syscalls {

using kernel::Task;

namespace {

constexpr size_t kPiece = 64 * 1024;

Result<size_t> ReadSome(Task& task, CopyEnd& from, std::span<std::byte> buffer, bool may_wait) {
  return BlockUntil(
      task, from.file, kReadableEvents, kNoDeadline, !may_wait, [&]() -> Result<size_t> {
        return from.offset ? from.file.PRead(buffer, *from.offset) : from.file.Read(buffer);
      });
}

struct Written {
  size_t bytes = 0;
  int error = 0;
};

Written WriteAll(Task& task, CopyEnd& to, std::span<const std::byte> data,
                 const vfs::Caller& caller) {
  Written written;
  while (written.bytes < data.size()) {
    auto rest = data.subspan(written.bytes);
    Result<size_t> result = BlockUntil(
        task, to.file, kWritableEvents, kNoDeadline, !to.may_wait, [&]() -> Result<size_t> {
          return to.offset ? to.file.PWrite(rest, *to.offset, caller) : to.file.Write(rest, caller);
        });
    if (!result.ok()) {
      written.error = result.error().value();
      break;
    }
    if (*result == 0) break;
    written.bytes += *result;
    if (to.offset) *to.offset += *result;
  }
  return written;
}

SyscallResult Finish(Task& task, uint64_t done, int error) {
  if (error == EPIPE) SignalSelf(task, SIGPIPE);
  if (error == EFBIG && done == 0 &&
      task.group()->limit(RLIMIT_FSIZE).current != kernel::kUnlimited) {
    SignalSelf(task, SIGXFSZ);
  }
  if (done == 0 && error != 0) return Errno(error);
  return done;
}

void TellCopied(const CopyEnd& from, const CopyEnd& to) {
  vfs::NotifyFile(from.file, IN_ACCESS);
  vfs::NotifyFile(to.file, IN_MODIFY);
}

}  // namespace

SyscallResult CopyFile(Task& task, CopyEnd& from, CopyEnd& to, uint64_t length) {
  vfs::Caller caller = task.MakeCaller();
  uint64_t done = 0;
  int error = 0;
  while (done < length && error == 0) {
    auto buffer = task.IoBuffer(std::min<uint64_t>(length - done, kPiece));
    Result<size_t> read = ReadSome(task, from, buffer, from.may_wait && done == 0);
    if (!read.ok()) {
      error = read.error().value();
      break;
    }
    if (*read == 0) break;
    Written written = WriteAll(task, to, buffer.first(*read), caller);
    done += written.bytes;
    error = written.error;
    if (from.offset) {
      *from.offset += written.bytes;
    } else if (written.bytes < *read) {
      // Back to what was not taken; a source without positions loses it, as it must.
      (void)from.file.Seek(-static_cast<int64_t>(*read - written.bytes), SEEK_CUR);
    }
    if (written.bytes < *read || task.interrupted()) break;
  }
  if (done > 0) TellCopied(from, to);
  return Finish(task, done, error);
}

SyscallResult CopyFromPipe(Task& task, CopyEnd& from, CopyEnd& to, uint64_t length, bool consume) {
  vfs::Caller caller = task.MakeCaller();
  fs::Pipe* pipe = fs::PipeOf(from.file);
  uint64_t done = 0;
  int error = 0;
  while (done < length) {
    auto buffer = task.IoBuffer(std::min<uint64_t>(length - done, kPiece));
    Result<size_t> peeked =
        BlockUntil(task, from.file, kReadableEvents, kNoDeadline, !from.may_wait || done > 0,
                   [&] { return pipe->Peek(buffer); });
    if (!peeked.ok()) {
      error = peeked.error().value();
      break;
    }
    if (*peeked == 0) break;
    Written written = WriteAll(task, to, buffer.first(*peeked), caller);
    done += written.bytes;
    error = written.error;
    if (!consume) break;
    if (written.bytes > 0) (void)pipe->Read(buffer.first(written.bytes));
    if (error != 0 || written.bytes < *peeked || task.interrupted()) break;
  }
  if (done > 0 && consume) TellCopied(from, to);
  return Finish(task, done, error);
}

Result<std::optional<uint64_t>> ReadOffset(Task& task, uint64_t address) {
  if (address == 0) return std::optional<uint64_t>();
  int64_t offset = TRY(task.CopyIn<int64_t>(address));
  if (offset < 0) return Errno(EINVAL);
  return std::optional<uint64_t>(static_cast<uint64_t>(offset));
}

Result<void> WriteOffset(Task& task, uint64_t address, const CopyEnd& end) {
  if (address == 0 || !end.offset) return {};
  return task.CopyOut(address, *end.offset);
}

}  // namespace redoubt::syscalls
