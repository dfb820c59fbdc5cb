// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/pipe/pipe_file.h"

#include <sys/ioctl.h>

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "sentry/fs/anon/anonymous_inode.h"

namespace redoubt::fs {

namespace {

// The pipes that are open, by inode: an opener finds the pipe of a FIFO here. An entry holds no
// reference; the pipe takes it out when its own last one goes (TryRef() fails by then). Open files
// hold the inode and drop the pipe first, so an entry's inode is alive.
struct PipeTable {
  Mutex<LockRank::kLeaf> mu;
  absl::flat_hash_map<const vfs::Inode*, Pipe*> pipes ABSL_GUARDED_BY(mu);
};
PipeTable& Table() {
  static auto* table = new PipeTable;
  return *table;
}

class InodePipe : public Pipe {
 public:
  explicit InodePipe(const vfs::Inode* inode) : inode_(inode) {}
  void OnRelease() override {
    MutexLock lock(&Table().mu);
    auto found = Table().pipes.find(inode_);
    // A new opener may have put another pipe there already.
    if (found != Table().pipes.end() && found->second == this) Table().pipes.erase(found);
  }

 private:
  const vfs::Inode* const inode_;
};

RefPtr<Pipe> PipeOfInode(const vfs::Inode* inode) {
  MutexLock lock(&Table().mu);
  Pipe*& pipe = Table().pipes[inode];
  if (pipe != nullptr && pipe->TryRef()) return RefPtr<Pipe>::Adopt(pipe);
  RefPtr<Pipe> created = MakeRef<InodePipe>(inode);
  pipe = created.get();
  return created;
}

}  // namespace

PipeFile::PipeFile(vfs::Path path, uint32_t flags, RefPtr<Pipe> pipe)
    : FileDescription(std::move(path), flags),
      pipe_(std::move(pipe)),
      at_open_(pipe_->AddEnd(readable(), writable())) {}

PipeFile::~PipeFile() { pipe_->RemoveEnd(readable(), writable()); }

Result<void> PipeFile::FinishOpen() {
  if (nonblocking() || (readable() && writable())) return {};
  if (readable() ? pipe_->WriterSeen(at_open_) : pipe_->ReaderSeen(at_open_)) return {};
  return Errno(EAGAIN);
}

Result<size_t> PipeFile::Read(std::span<std::byte> buffer) {
  if (!readable()) return Errno(EBADF);
  return pipe_->Read(buffer);
}

Result<size_t> PipeFile::Write(std::span<const std::byte> data, const vfs::Caller& caller) {
  if (!writable()) return Errno(EBADF);
  return pipe_->Write(data, (flags() & O_DIRECT) != 0);
}

Result<size_t> PipeFile::PRead(std::span<std::byte> buffer, uint64_t offset) {
  return Errno(ESPIPE);
}

Result<size_t> PipeFile::PWrite(std::span<const std::byte> data, uint64_t offset,
                                const vfs::Caller& caller) {
  return Errno(ESPIPE);
}

Result<int64_t> PipeFile::Seek(int64_t offset, int whence) { return Errno(ESPIPE); }

EventMask PipeFile::Readiness(EventMask mask) {
  return pipe_->Readiness(readable(), writable(), at_open_) & (mask | EPOLLHUP | EPOLLERR);
}

Result<uint64_t> PipeFile::Ioctl(const vfs::IoctlRequest& request) {
  if (request.command != FIONREAD) return Errno(ENOTTY);
  const int32_t bytes = static_cast<int32_t>(pipe_->BytesReadable());
  TRY(request.memory.CopyOut(request.argument, std::as_bytes(std::span(&bytes, 1))));
  return uint64_t{0};
}

namespace {

// pipefs' inode: /proc/self/fd/N of a pipe can be opened again, as a FIFO is.
// pipe(2)'s own, opened again through /proc/PID/fd: waits for nobody (fifo_open()).
class ReopenedPipe final : public PipeFile {
 public:
  using PipeFile::PipeFile;
  Result<void> FinishOpen() override { return {}; }
};

class PipeInode : public AnonymousInode {
 public:
  using AnonymousInode::AnonymousInode;
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override {
    RefPtr<Pipe> pipe = PipeOfInode(this);
    return RefPtr<vfs::FileDescription>(MakeRef<ReopenedPipe>(path, flags, std::move(pipe)));
  }
};

}  // namespace

Result<PipeEnds> CreatePipe(uint32_t flags, uint32_t uid, uint32_t gid) {
  constexpr uint32_t kNotificationPipe = O_EXCL;  // O_NOTIFICATION_PIPE.
  if ((flags & ~(O_NONBLOCK | O_DIRECT | O_CLOEXEC | kNotificationPipe)) != 0) return Errno(EINVAL);
  if ((flags & kNotificationPipe) != 0) return Errno(ENOPKG);
  const uint32_t status = flags & (O_NONBLOCK | O_DIRECT);
  vfs::Path path = MakeAnonymousPath(
      AnonymousKind::kPipe, "",
      MakeRef<PipeInode>(AnonymousKind::kPipe, uint32_t{S_IFIFO | 0600}, uid, gid));
  RefPtr<Pipe> pipe = PipeOfInode(path.dentry->inode().get());
  PipeEnds ends;
  ends.write = MakeRef<PipeFile>(path, O_WRONLY | status, pipe);
  ends.read = MakeRef<PipeFile>(path, O_RDONLY | (status & O_NONBLOCK), std::move(pipe));
  return ends;
}

Result<RefPtr<vfs::FileDescription>> OpenFifo(const vfs::Path& path, uint32_t flags) {
  RefPtr<Pipe> pipe = PipeOfInode(path.dentry->inode().get());
  if ((flags & O_ACCMODE) == O_WRONLY && (flags & O_NONBLOCK) != 0 && !pipe->HasReaders()) {
    return Errno(ENXIO);
  }
  return RefPtr<vfs::FileDescription>(MakeRef<PipeFile>(path, flags, std::move(pipe)));
}

Pipe* PipeOf(vfs::FileDescription& file) {
  auto* pipe_file = dynamic_cast<PipeFile*>(&file);
  return pipe_file == nullptr ? nullptr : pipe_file->pipe().get();
}

}  // namespace redoubt::fs
