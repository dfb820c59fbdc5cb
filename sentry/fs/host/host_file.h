// SPDX-License-Identifier: Apache-2.0
//
// HostFile: a host descriptor that was donated at start-up (stdin, stdout, stderr, or an engine's
// extra descriptors) as an open file of the guest.
//
//   RefPtr<HostFile> out = TRY(HostFile::Create(OwnedFd(1), &poller));
//
// Other processes share the host's open file description, so the sentry never changes its flags.
//   - Regular files: the host's own offset and O_APPEND are used (plain read, write, lseek), as a
//     shell that appends to the same file expects. They can be mapped.
//   - Pipes, sockets, terminals: preadv2/pwritev2 with RWF_NOWAIT, which never waits whatever
//     O_NONBLOCK says. Where the host's file cannot do that (EOPNOTSUPP), poll with time-out zero,
//     then read, or write at most PIPE_BUF bytes, which POLLOUT promises room for. Another process
//     that takes the data or the room between the two calls makes this thread of the sentry wait
//     until the host's peer moves; only this one guest thread notices, and a signal or kill of it
//     is late by as much.
// A terminal stays the host's: termios and window-size ioctls of a fixed list go to it; job control
// is the guest kernel's (fs/tty/job_control.h), since the host's process-group ids mean nothing to
// the guest.
#ifndef SENTRY_FS_HOST_HOST_FILE_H_
#define SENTRY_FS_HOST_HOST_FILE_H_

#include <atomic>
#include <memory>

#include "base/owned_fd.h"
#include "sentry/fs/host/host_poller.h"
#include "sentry/fs/tty/job_control.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::fs {

// The host's open file, shared by all guest open files made from it (/dev/tty opens it again).
// References: each HostFile; as a Terminal, the session that it controls.
class HostObject final : public Terminal, public HostPoller::Source {
 public:
  // EINVAL for a descriptor that fstat(2) does not know.
  static Result<RefPtr<HostObject>> Create(OwnedFd fd, HostPoller* poller);
  HostObject(OwnedFd fd, HostPoller* poller, uint32_t type, uint32_t flags, bool terminal);
  ~HostObject() override;

  int fd() const { return fd_.get(); }
  uint32_t type() const { return type_; }    // S_IFMT of the host's file.
  uint32_t flags() const { return flags_; }  // F_GETFL when it was donated.
  bool is_terminal() const { return terminal_; }
  // Regular files and block devices: always ready, with an offset.
  bool IsSeekable() const { return type_ == S_IFREG || type_ == S_IFBLK; }
  WaitQueue& wait_queue() { return wait_queue_; }

  // Asks the host; when the answer is less than `mask` and somebody waits, arms the poller.
  EventMask Readiness(EventMask mask);
  // Somebody who waits was given less than he asked for: he hears of what comes next.
  void WaitFor(EventMask mask);

  uint64_t device() const override { return device_; }
  Result<RefPtr<vfs::FileDescription>> OpenAgain(const vfs::Path& path, uint32_t flags) override;

  void OnHostEvents(EventMask events) override { wait_queue_.Wake(events); }

 private:
  const OwnedFd fd_;
  HostPoller* const poller_;  // Null: readiness is only polled (tests, regular files).
  const uint32_t type_;
  const uint32_t flags_;
  const bool terminal_;
  uint64_t device_ = 0;
  WaitQueue wait_queue_;
};

class HostFile : public vfs::FileDescription {
 public:
  // Access mode and O_APPEND are the host descriptor's.
  static Result<RefPtr<HostFile>> Create(OwnedFd fd, HostPoller* poller);
  HostFile(vfs::Path path, uint32_t flags, RefPtr<HostObject> object);

  const RefPtr<HostObject>& object() const { return object_; }

  Result<size_t> Read(std::span<std::byte> buffer) override;
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override;
  Result<size_t> PRead(std::span<std::byte> buffer, uint64_t offset) override;
  Result<size_t> PWrite(std::span<const std::byte> data, uint64_t offset,
                        const vfs::Caller& caller) override;
  Result<int64_t> Seek(int64_t offset, int whence) override;
  EventMask Readiness(EventMask mask) override;
  WaitQueue* wait_queue() override;
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override;
  Result<vfs::Attributes> GetAttributes() override;
  Result<void> SetAttributes(const vfs::AttributeChange& change) override;
  Result<void> Allocate(int mode, uint64_t offset, uint64_t length) override;
  Result<void> Sync(bool data_only) override;
  Result<vfs::HostMapping> Map(bool shared_writable) override;

 private:
  const RefPtr<HostObject> object_;
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_HOST_HOST_FILE_H_
