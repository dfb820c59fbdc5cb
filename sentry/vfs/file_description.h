// SPDX-License-Identifier: Apache-2.0
//
// FileDescription: an open file (open(2) calls it "open file description").
//
// Data moves through sentry buffers: Read fills a span, Write consumes one; the system-call layer
// copies to and from the guest and splits large calls. No operation blocks: one that would have to
// wait gives EAGAIN, whatever O_NONBLOCK says, and the caller waits on wait_queue() for Readiness
// and tries again. So blocking, time-outs and interruption live in one place (the task).
//
// References are held by: each FdTable slot; SCM_RIGHTS messages in flight; a task inside a call on
// the file; epoll holds none (its items go when the file goes, see OnRelease).
#ifndef SENTRY_VFS_FILE_DESCRIPTION_H_
#define SENTRY_VFS_FILE_DESCRIPTION_H_

#include <fcntl.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "base/sync/wait_queue.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/path.h"

namespace redoubt::vfs {

class DirectorySink;
struct Caller;

// Guest memory as ioctl handlers see it; the task implements it.
class UserMemory {
 public:
  virtual ~UserMemory() = default;
  // All or nothing: EFAULT when any byte cannot be copied.
  virtual Result<void> CopyIn(uint64_t address, std::span<std::byte> buffer) = 0;
  virtual Result<void> CopyOut(uint64_t address, std::span<const std::byte> buffer) = 0;
};

// What an ioctl knows of its caller.
struct IoctlRequest {
  uint32_t command = 0;
  uint64_t argument = 0;
  UserMemory& memory;
  const Caller& caller;
};

// A file that can be mapped: the host descriptor the stub maps, valid while the description lives.
struct HostMapping {
  int fd = -1;
  uint64_t offset_bias = 0;  // Added to the guest's file offset.
  bool anonymous = false;    // /dev/zero: map anonymous memory instead of `fd`.
};

// Hears that an open file goes. epoll items are the listeners: they hold no reference to the file.
// References are held by the file's list of listeners and by whoever made the listener.
class ReleaseListener : public RefCounted<ReleaseListener> {
 public:
  virtual ~ReleaseListener() = default;
  // The last reference to `file` was dropped; the object is still whole, and goes when this
  // returns.
  virtual void OnFileReleased(FileDescription& file) = 0;
};

class FileDescription : public RefCounted<FileDescription> {
 public:
  // `flags` as given to open(2); creation flags are dropped.
  FileDescription(Path path, uint32_t flags);
  virtual ~FileDescription();

  const Path& path() const { return path_; }
  const RefPtr<Inode>& inode() const { return path_.dentry->inode(); }

  // O_ACCMODE plus status flags (O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME, O_PATH ...).
  uint32_t flags() const { return flags_.load(std::memory_order_relaxed); }
  // fcntl(F_SETFL): only O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME, O_ASYNC change.
  virtual Result<void> SetStatusFlags(uint32_t flags);
  bool readable() const;
  bool writable() const;
  bool nonblocking() const { return (flags() & O_NONBLOCK) != 0; }
  bool IsPathOnly() const { return (flags() & O_PATH) != 0; }

  // Reads or writes at the file's own position, and moves it. 0 from Read is end of file.
  virtual Result<size_t> Read(std::span<std::byte> buffer);
  virtual Result<size_t> Write(std::span<const std::byte> data, const Caller& caller);
  // At `offset`; the position stays. ESPIPE for what has no position. PWrite with O_APPEND appends.
  virtual Result<size_t> PRead(std::span<std::byte> buffer, uint64_t offset);
  virtual Result<size_t> PWrite(std::span<const std::byte> data, uint64_t offset,
                                const Caller& caller);
  // lseek(2), with SEEK_DATA and SEEK_HOLE where the file has them.
  virtual Result<int64_t> Seek(int64_t offset, int whence);

  // The largest buffer one Read or Write must see whole (a datagram, a pipe's atomic write); large
  // calls are otherwise cut into pieces of the system-call layer's choice.
  virtual size_t atomic_size() const { return 0; }

  // What remains of open(2) when it has to wait: EAGAIN until a FIFO has its other end. The
  // system-call layer calls this once after vfs::Open, and while it gives EAGAIN waits on
  // wait_queue() for EPOLLIN | EPOLLOUT and calls again; a signal drops the file.
  virtual Result<void> FinishOpen() { return {}; }

  // Which of `mask` is possible now. Regular files are always ready.
  virtual EventMask Readiness(EventMask mask) {
    return mask & (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM);
  }
  // Null: readiness never changes (epoll_ctl then gives EPERM).
  virtual WaitQueue* wait_queue() { return nullptr; }

  virtual Result<uint64_t> Ioctl(const IoctlRequest& request) { return Errno(ENOTTY); }
  // getdents64(2) from the file's position on. The default serves directories by
  // Inode::ReadDirectory, with "." and "..".
  virtual Result<void> ReadDirectory(DirectorySink& sink);

  // What /proc/PID/fdinfo shows besides the position and the flags: whole lines.
  virtual std::string DescribeState() { return ""; }

  // By default these go to the inode.
  virtual Result<Attributes> GetAttributes();
  virtual Result<void> SetAttributes(const AttributeChange& change);
  // fallocate(2).
  virtual Result<void> Allocate(int mode, uint64_t offset, uint64_t length) {
    return Errno(EOPNOTSUPP);
  }
  virtual Result<void> Sync(bool data_only) { return {}; }

  // For mmap(2): ENODEV when the file cannot be mapped. `shared_writable`: a MAP_SHARED mapping
  // that may become writable, so the descriptor must be open for writing.
  virtual Result<HostMapping> Map(bool shared_writable) { return Errno(ENODEV); }

  // A close(2) of one descriptor by the process `tgid`: releases that process's record locks.
  virtual void OnDescriptorClosed(int tgid);

  // Called by Unref() for the last reference, before any destructor: tells the listeners. Takes
  // kEpoll locks, so a last reference may be dropped only by a thread that holds none from kEpoll
  // downwards in the ladder.
  void OnRelease();
  // open(2) made it: what is done through it is told to those who watch the file (notify.h).
  void TellWatches() { tells_watches_.store(true, std::memory_order_relaxed); }
  bool tells_watches() const { return tells_watches_.load(std::memory_order_relaxed); }
  // The caller holds a reference to this file (Add), or knows that OnRelease() has not returned.
  void AddReleaseListener(RefPtr<ReleaseListener> listener);
  void RemoveReleaseListener(ReleaseListener* listener);

  // Who hears by a signal that it became ready (O_ASYNC), that a lease is broken, or what happens
  // in a directory (F_NOTIFY): fcntl's F_SETOWN_EX and F_SETSIG.
  struct SignalOwner {
    int32_t type = 1;  // F_OWNER_TID 0, F_OWNER_PID 1, F_OWNER_PGRP 2.
    int32_t id = 0;    // 0: nobody.
    uint32_t uid = 0, euid = 0;  // Of who set it: it may only signal whom they may.
    int32_t signal = 0;          // 0: a plain SIGIO.
  };
  SignalOwner signal_owner() const;
  void SetSignalOwner(const SignalOwner& owner);
  // The same as F_GETOWN tells it, a group as a negative number: who gets SIGURG.
  const std::atomic<int>& async_owner() const { return async_owner_; }

 protected:
  // For implementations of Read, Write and Seek; may be held across PRead, PWrite, ReadDirectory.
  Mutex<LockRank::kFile> mu_;
  int64_t position_ ABSL_GUARDED_BY(mu_) = 0;

 private:
  const Path path_;
  std::atomic<uint32_t> flags_;
  std::atomic<bool> tells_watches_{false};
  std::atomic<int> async_owner_{0};
  mutable Mutex<LockRank::kLeaf> listeners_mu_;
  SignalOwner signal_owner_ ABSL_GUARDED_BY(listeners_mu_);
  std::vector<RefPtr<ReleaseListener>> listeners_ ABSL_GUARDED_BY(listeners_mu_);
};

// A file whose content has a size and positions: implement PRead and PWrite, and Read, Write
// (with O_APPEND and RLIMIT_FSIZE left to PWrite) and Seek follow.
class SeekableFile : public FileDescription {
 public:
  using FileDescription::FileDescription;
  Result<size_t> Read(std::span<std::byte> buffer) override;
  Result<size_t> Write(std::span<const std::byte> data, const Caller& caller) override;
  Result<int64_t> Seek(int64_t offset, int whence) override;

 protected:
  // Where the position stands after a write that appended.
  virtual Result<uint64_t> EndOfFile();
  // SEEK_DATA and SEEK_HOLE: by default the whole file is data.
  virtual Result<uint64_t> SeekData(uint64_t offset, bool hole);
};

// How much of a write of `size` bytes at `offset` RLIMIT_FSIZE (and the largest offset) lets
// through; EFBIG when nothing.
Result<size_t> LimitWrite(const Caller& caller, uint64_t offset, size_t size);

// A read-only file with generated content (proc): the text is made at the first read, or at a read
// from offset 0, and kept with the open file.
class GeneratedFile : public SeekableFile {
 public:
  using SeekableFile::SeekableFile;
  Result<size_t> PRead(std::span<std::byte> buffer, uint64_t offset) override;

 protected:
  virtual Result<std::string> Generate() = 0;

 private:
  Mutex<LockRank::kLeaf> content_mu_;
  std::string content_ ABSL_GUARDED_BY(content_mu_);
  bool generated_ ABSL_GUARDED_BY(content_mu_) = false;
};

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_FILE_DESCRIPTION_H_
