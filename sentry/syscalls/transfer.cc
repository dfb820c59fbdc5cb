// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/transfer.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "sentry/fs/eventfd/eventfd.h"
#include "sentry/fs/pipe/pipe_file.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/socket/socket.h"
#include "sentry/syscalls/blocking.h"
#include "sentry/syscalls/socket_wait.h"
#include "sentry/vfs/notify.h"

namespace redoubt::syscalls {

using kernel::Task;
using vfs::FileDescription;

namespace {

// The file's socket, if it is one; cheap when it is none.
sockets::Socket* SocketIn(FileDescription& file) {
  return file.inode()->type() == S_IFSOCK ? sockets::SocketOf(file) : nullptr;
}

// BlockUntil; sockets have time-outs of their own.
template <typename Operation>
Result<size_t> Wait(Task& task, FileDescription& file, EventMask events, bool may_wait,
                    Operation&& operation) {
  sockets::Socket* socket = SocketIn(file);
  if (socket == nullptr) {
    return BlockUntil(task, file, events, kNoDeadline, !may_wait, operation);
  }
  bool reading = events == kReadableEvents;
  int64_t timeout = reading ? socket->receive_timeout() : socket->send_timeout();
  return WaitForSocket(task, *socket, events, timeout, !may_wait, operation);
}

// One piece into `buffer`; waits when `may_wait`.
Result<size_t> ReadPiece(Task& task, FileDescription& file, std::span<std::byte> buffer,
                         std::optional<uint64_t> offset, bool may_wait) {
  return Wait(task, file, kReadableEvents, may_wait, [&]() -> Result<size_t> {
    return offset ? file.PRead(buffer, *offset) : file.Read(buffer);
  });
}

// read(2) of nothing: errors are shown, but it neither waits nor takes a datagram.
SyscallResult ReadNothing(FileDescription& file, const TransferOptions& options) {
  if (SocketIn(file) != nullptr) {
    return options.offset ? SyscallResult(Errno(ESPIPE)) : SyscallResult(0UL);
  }
  Result<size_t> read = options.offset ? file.PRead({}, *options.offset) : file.Read({});
  if (read.Is(EAGAIN)) return 0UL;
  return read;
}

// Whether one call takes one record, however large its buffer.
bool ReadsOneRecord(FileDescription& file) {
  sockets::Socket* socket = SocketIn(file);
  return socket != nullptr && socket->type() != SOCK_STREAM;
}

// Bytes were read that the guest's memory did not take: they go back, where there is a way.
void Unread(FileDescription& file, std::span<const std::byte> data,
            const TransferOptions& options) {
  if (options.offset || data.empty()) return;
  if (fs::Pipe* pipe = fs::PipeOf(file)) return pipe->Unread(data);
  if (sockets::Socket* socket = SocketIn(file)) return socket->Unread(data);
  (void)file.Seek(-static_cast<int64_t>(data.size()), SEEK_CUR);
}

// What a failed write means for the caller besides the error.
void SignalWriteError(Task& task, FileDescription& file, const vfs::Caller& caller, int error,
                      uint64_t done) {
  // A pipe tells even when a part was written.
  if (error == EPIPE && (done == 0 || fs::PipeOf(file) != nullptr)) SignalSelf(task, SIGPIPE);
  if (error == EFBIG && done == 0 && caller.file_size_limit != kernel::kUnlimited) {
    SignalSelf(task, SIGXFSZ);
  }
}

// Whether a write that took only a part goes on with the rest.
bool GoesOnAfterPart(FileDescription& file) {
  // An eventfd takes eight bytes and leaves what is behind them.
  return dynamic_cast<fs::EventFd*>(&file) == nullptr;
}

// A signal cuts a long call short, but never one on a regular file: programs rely on that.
bool Interrupted(Task& task, FileDescription& file) {
  return task.interrupted() && !file.inode()->IsRegular();
}

struct Written {
  uint64_t bytes = 0;
  int error = 0;  // What ended it, if not the end of the data.
};

// Writes all of `data`, waiting when `may_wait`.
Written WritePiece(Task& task, FileDescription& file, std::span<const std::byte> data,
                   std::optional<uint64_t> offset, const vfs::Caller& caller, bool may_wait) {
  Written written;
  do {
    auto rest = data.subspan(written.bytes);
    Result<size_t> result = Wait(task, file, kWritableEvents, may_wait, [&]() -> Result<size_t> {
      return offset ? file.PWrite(rest, *offset + written.bytes, caller) : file.Write(rest, caller);
    });
    if (!result.ok()) {
      written.error = result.error().value();
      break;
    }
    written.bytes += *result;
    if (*result == 0 || (*result < rest.size() && !GoesOnAfterPart(file))) break;
  } while (written.bytes < data.size());
  return written;
}

Result<void> SyncAfterWrite(FileDescription& file, const TransferOptions& options) {
  uint32_t flags = file.flags();
  if (!options.sync && (flags & O_DSYNC) == 0) [[likely]]
    return {};
  return file.Sync((flags & O_SYNC) != O_SYNC);
}

}  // namespace

void SignalSelf(Task& task, int signal) {
  (void)SendSignal(task, kernel::UserSignal(signal, task.tgid(), task.credentials()->uid));
}

SyscallResult ReadFile(Task& task, FileDescription& file, UserSegments& to,
                       const TransferOptions& options) {
  if (!file.readable()) return Errno(EBADF);
  if (to.remaining() == 0) return ReadNothing(file, options);
  bool may_wait = !options.nonblocking && !file.nonblocking();
  uint64_t done = 0;
  while (to.remaining() > 0) {
    auto buffer = to.OutBuffer(task);
    std::optional<uint64_t> offset = options.offset;
    if (offset) *offset += done;
    Result<size_t> read = ReadPiece(task, file, buffer, offset, may_wait && done == 0);
    if (!read.ok()) {
      if (done == 0) return read.error();
      break;
    }
    Result<size_t> copied = to.CopyOut(task, buffer.first(*read));
    Unread(file, buffer.first(*read).subspan(copied.value_or(0)), options);
    if (!copied.ok()) {
      if (done == 0) return copied.error();
      break;
    }
    done += *copied;
    if (*copied < buffer.size() || ReadsOneRecord(file) || Interrupted(task, file)) break;
  }
  if (done > 0) vfs::NotifyFile(file, IN_ACCESS);
  return done;
}

SyscallResult WriteFile(Task& task, FileDescription& file, UserSegments& from,
                        const TransferOptions& options) {
  if (!file.writable()) return Errno(EBADF);
  vfs::Caller caller = task.MakeCaller();
  bool may_wait = !options.nonblocking && !file.nonblocking();
  uint64_t done = 0;
  int error = 0;
  do {
    auto buffer = task.IoBuffer(std::min<uint64_t>(from.remaining(), Task::kIoBufferSize));
    Result<size_t> copied = from.CopyIn(task, buffer);
    if (!copied.ok()) {
      error = copied.error().value();
      break;
    }
    std::optional<uint64_t> offset = options.offset;
    if (offset) *offset += done;
    Written written = WritePiece(task, file, buffer.first(*copied), offset, caller, may_wait);
    done += written.bytes;
    error = written.error;
    if (error != 0 || *copied < buffer.size() || written.bytes < *copied) break;
  } while (from.remaining() > 0 && !Interrupted(task, file));
  if (error != 0) SignalWriteError(task, file, caller, error, done);
  if (done == 0 && error != 0) return Errno(error);
  if (done > 0) {
    vfs::NotifyFile(file, IN_MODIFY);
    TRY(SyncAfterWrite(file, options));
  }
  return done;
}

}  // namespace redoubt::syscalls
