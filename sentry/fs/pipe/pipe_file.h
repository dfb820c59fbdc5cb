// SPDX-License-Identifier: Apache-2.0
//
// PipeFile: an open end of a pipe or a FIFO (fifo(7)).
//
// pipe2(2):
//   PipeEnds ends = TRY(fs::CreatePipe(flags, uid, gid));    // O_NONBLOCK, O_DIRECT; O_CLOEXEC is
//                                                             // the descriptor table's.
// open(2) of an S_IFIFO inode, of any file system, and of /proc/self/fd/N of a pipe:
//   RefPtr<FileDescription> file = TRY(fs::OpenFifo(path, flags));
//   TRY(block until file->FinishOpen() is not EAGAIN);       // In the system-call layer.
// OpenFifo registers the end at once (so two openers find each other) and never waits. ENXIO: for
// writing with O_NONBLOCK without a reader. Without O_NONBLOCK, FinishOpen() gives EAGAIN until the
// other end has been there; the pipe's wait queue is woken then with EPOLLIN | EPOLLOUT.
// fcntl(2) F_GETPIPE_SZ and F_SETPIPE_SZ: PipeOf(file), EBADF when that is null.
#ifndef SENTRY_FS_PIPE_PIPE_FILE_H_
#define SENTRY_FS_PIPE_PIPE_FILE_H_

#include "sentry/fs/pipe/pipe.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

class PipeFile : public vfs::FileDescription {
 public:
  // Takes its end of `pipe`.
  PipeFile(vfs::Path path, uint32_t flags, RefPtr<Pipe> pipe);
  ~PipeFile() override;

  const RefPtr<Pipe>& pipe() const { return pipe_; }

  Result<void> FinishOpen() override;
  Result<size_t> Read(std::span<std::byte> buffer) override;
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override;
  Result<size_t> PRead(std::span<std::byte> buffer, uint64_t offset) override;
  Result<size_t> PWrite(std::span<const std::byte> data, uint64_t offset,
                        const vfs::Caller& caller) override;
  Result<int64_t> Seek(int64_t offset, int whence) override;
  size_t atomic_size() const override { return kPipePageSize; }
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override { return &pipe_->wait_queue(); }
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override;  // FIONREAD.

 private:
  const RefPtr<Pipe> pipe_;
  const Pipe::Generations at_open_;
};

struct PipeEnds {
  RefPtr<vfs::FileDescription> read;
  RefPtr<vfs::FileDescription> write;
};
// pipe2(2): EINVAL for flags other than O_NONBLOCK, O_DIRECT, O_CLOEXEC, O_NOTIFICATION_PIPE
// (ENOPKG).
Result<PipeEnds> CreatePipe(uint32_t flags, uint32_t uid, uint32_t gid);

// A new open file on the FIFO (or pipe) that `path` is.
Result<RefPtr<vfs::FileDescription>> OpenFifo(const vfs::Path& path, uint32_t flags);

// The pipe of an open file; null when it is something else.
Pipe* PipeOf(vfs::FileDescription& file);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_PIPE_PIPE_FILE_H_
