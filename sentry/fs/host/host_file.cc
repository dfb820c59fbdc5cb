// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/host/host_file.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>

#include "base/host/syscall.h"
#include "sentry/fs/host/host_inode.h"
#include "sentry/fs/host/host_ioctl.h"
#include "sentry/vfs/caller.h"

namespace redoubt::fs {

namespace {

// What one write to a pipe or terminal that polls as writable takes without waiting.
constexpr size_t kSafePipeWrite = PIPE_BUF;
constexpr size_t kSafeTerminalWrite = 256;

EventMask PollNow(int fd, EventMask mask) {
  pollfd entry{.fd = fd, .events = static_cast<short>(mask & 0xffff), .revents = 0};
  if (poll(&entry, 1, 0) <= 0) return 0;
  return static_cast<uint16_t>(entry.revents) & ~uint32_t{POLLNVAL};
}

// Reads or writes without waiting, whatever O_NONBLOCK says; EOPNOTSUPP where the host cannot.
Result<size_t> ReadNoWait(int fd, std::span<std::byte> buffer) {
  iovec vec{buffer.data(), buffer.size()};
  return host::Call([&] { return preadv2(fd, &vec, 1, -1, RWF_NOWAIT); });
}
Result<size_t> WriteNoWait(int fd, std::span<const std::byte> data) {
  iovec vec{const_cast<std::byte*>(data.data()), data.size()};
  return host::Call([&] { return pwritev2(fd, &vec, 1, -1, RWF_NOWAIT); });
}

}  // namespace

Result<RefPtr<HostObject>> HostObject::Create(OwnedFd fd, HostPoller* poller) {
  struct stat status {};
  TRY(host::Call([&] { return fstat(fd.get(), &status); }));
  const uint32_t flags = TRY(host::Call([&] { return fcntl(fd.get(), F_GETFL); }));
  const uint32_t type = status.st_mode & S_IFMT;
  const bool terminal = type == S_IFCHR && isatty(fd.get()) == 1;
  auto object = MakeRef<HostObject>(std::move(fd), poller, type, flags, terminal);
  object->device_ = status.st_rdev;
  return object;
}

HostObject::HostObject(OwnedFd fd, HostPoller* poller, uint32_t type, uint32_t flags, bool terminal)
    : fd_(std::move(fd)), poller_(poller), type_(type), flags_(flags), terminal_(terminal) {}

HostObject::~HostObject() {
  if (poller_ != nullptr) poller_->Remove(fd_.get(), this);
}

void HostObject::WaitFor(EventMask mask) {
  if (poller_ == nullptr || !wait_queue_.HasWaiters()) return;
  // EPERM: the host cannot poll it (it is always ready); so nobody waits for long.
  (void)poller_->Arm(fd_.get(), this, mask);
}

EventMask HostObject::Readiness(EventMask mask) {
  const EventMask ready = PollNow(fd_.get(), mask);
  if ((mask & ~ready) != 0) WaitFor(mask & ~ready);
  return ready & (mask | EPOLLERR | EPOLLHUP);
}

Result<RefPtr<vfs::FileDescription>> HostObject::OpenAgain(const vfs::Path& path, uint32_t flags) {
  // Not more than the host's descriptor allows.
  const uint32_t have = flags_ & O_ACCMODE, want = flags & O_ACCMODE;
  if (have != O_RDWR && have != want) return Errno(EACCES);
  return RefPtr<vfs::FileDescription>(MakeRef<HostFile>(path, flags, RefPtr<HostObject>(this)));
}

Result<RefPtr<HostFile>> HostFile::Create(OwnedFd fd, HostPoller* poller) {
  RefPtr<HostObject> object = TRY(HostObject::Create(std::move(fd), poller));
  constexpr uint32_t kKept = O_ACCMODE | O_APPEND | O_NONBLOCK;
  const uint32_t flags = object->flags() & kKept;
  vfs::Path path = TRY(MakeHostPath(object));
  return MakeRef<HostFile>(std::move(path), flags, std::move(object));
}

HostFile::HostFile(vfs::Path path, uint32_t flags, RefPtr<HostObject> object)
    : FileDescription(std::move(path), flags), object_(std::move(object)) {}

Result<size_t> HostFile::Read(std::span<std::byte> buffer) {
  if (!readable()) return Errno(EBADF);
  const int fd = object_->fd();
  if (object_->IsSeekable()) {
    return host::Call([&] { return read(fd, buffer.data(), buffer.size()); });
  }
  if (object_->is_terminal()) TRY(CurrentJobControl().CheckRead(*object_));
  Result<size_t> done = ReadNoWait(fd, buffer);
  if (done.Is(EOPNOTSUPP)) {
    if ((PollNow(fd, POLLIN) & (POLLIN | POLLHUP | POLLERR)) == 0) {
      done = Errno(EAGAIN);
    } else {
      done = host::Call([&] { return read(fd, buffer.data(), buffer.size()); });
    }
  }
  // Less than asked for: an edge-triggered epoll hears of what comes next.
  if (done.Is(EAGAIN) || (done.ok() && *done > 0 && *done < buffer.size())) {
    object_->WaitFor(EPOLLIN | EPOLLRDHUP);
  }
  return done;
}

Result<size_t> HostFile::Write(std::span<const std::byte> data, const vfs::Caller& caller) {
  if (!writable()) return Errno(EBADF);
  const int fd = object_->fd();
  if (object_->IsSeekable()) {
    return host::Call([&] { return write(fd, data.data(), data.size()); });
  }
  if (object_->is_terminal()) TRY(CurrentJobControl().CheckWrite(*object_, false));
  Result<size_t> done = WriteNoWait(fd, data);
  if (done.Is(EOPNOTSUPP)) {
    const size_t safe = object_->is_terminal() ? kSafeTerminalWrite : kSafePipeWrite;
    if ((PollNow(fd, POLLOUT) & (POLLOUT | POLLHUP | POLLERR)) == 0) {
      done = Errno(EAGAIN);
    } else {
      done = host::Call([&] { return write(fd, data.data(), std::min(safe, data.size())); });
    }
  }
  if (done.Is(EAGAIN) || (done.ok() && *done < data.size())) object_->WaitFor(EPOLLOUT);
  return done;
}

Result<size_t> HostFile::PRead(std::span<std::byte> buffer, uint64_t offset) {
  if (!readable()) return Errno(EBADF);
  if (!object_->IsSeekable()) return Errno(ESPIPE);
  return host::Call([&] {
    return pread(object_->fd(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
  });
}

Result<size_t> HostFile::PWrite(std::span<const std::byte> data, uint64_t offset,
                                const vfs::Caller& caller) {
  if (!writable()) return Errno(EBADF);
  if (!object_->IsSeekable()) return Errno(ESPIPE);
  return host::Call(
      [&] { return pwrite(object_->fd(), data.data(), data.size(), static_cast<off_t>(offset)); });
}

Result<int64_t> HostFile::Seek(int64_t offset, int whence) {
  if (!object_->IsSeekable()) return Errno(ESPIPE);
  return static_cast<int64_t>(
      TRY(host::Call([&] { return lseek(object_->fd(), offset, whence); })));
}

EventMask HostFile::Readiness(EventMask mask) {
  if (object_->IsSeekable()) return FileDescription::Readiness(mask);
  return object_->Readiness(mask);
}

WaitQueue* HostFile::wait_queue() {
  return object_->IsSeekable() ? nullptr : &object_->wait_queue();
}

Result<uint64_t> HostFile::Ioctl(const vfs::IoctlRequest& request) {
  return HostIoctl(*object_, request);
}

Result<vfs::Attributes> HostFile::GetAttributes() { return inode()->GetAttributes(); }

Result<void> HostFile::SetAttributes(const vfs::AttributeChange& change) {
  if (change.size) {
    if (!object_->IsSeekable()) return Errno(EINVAL);
    TRY(host::Call([&] { return ftruncate(object_->fd(), static_cast<off_t>(*change.size)); }));
  }
  // Mode, owner and times are the host's business: donated descriptors are not the guest's to
  // give away.
  if (change.mode || change.uid || change.gid) return Errno(EPERM);
  return {};
}

Result<void> HostFile::Allocate(int mode, uint64_t offset, uint64_t length) {
  if (!object_->IsSeekable()) return Errno(ESPIPE);
  TRY(host::Call([&] {
    return fallocate(object_->fd(), mode, static_cast<off_t>(offset), static_cast<off_t>(length));
  }));
  return {};
}

Result<void> HostFile::Sync(bool data_only) {
  if (!object_->IsSeekable()) return Errno(EINVAL);
  TRY(host::Call([&] { return data_only ? fdatasync(object_->fd()) : fsync(object_->fd()); }));
  return {};
}

Result<vfs::HostMapping> HostFile::Map(bool shared_writable) {
  if (object_->type() != S_IFREG) return Errno(ENODEV);
  if (!readable() || (shared_writable && !writable())) return Errno(EACCES);
  return vfs::HostMapping{.fd = object_->fd(), .offset_bias = 0};
}

}  // namespace redoubt::fs
