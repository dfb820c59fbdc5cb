// SPDX-License-Identifier: Apache-2.0
//
// The open files of both sides.
#include <utility>

#include "sentry/fs/devpts/pty.h"
#include "sentry/vfs/caller.h"

namespace redoubt::fs {

namespace {

// What both sides share: a terminal has no position.
class PtyFile : public vfs::FileDescription {
 public:
  PtyFile(vfs::Path path, uint32_t flags, RefPtr<Pty> pty)
      : FileDescription(std::move(path), flags & ~uint32_t{O_NOCTTY}), pty_(std::move(pty)) {}

  Pty& pty() const { return *pty_; }
  Result<size_t> PRead(std::span<std::byte> buffer, uint64_t offset) override {
    return Errno(ESPIPE);
  }
  Result<size_t> PWrite(std::span<const std::byte> data, uint64_t offset,
                        const vfs::Caller& caller) override {
    return Errno(ESPIPE);
  }
  Result<int64_t> Seek(int64_t offset, int whence) override { return Errno(ESPIPE); }

 protected:
  const RefPtr<Pty> pty_;
};

class PtyMaster final : public PtyFile {
 public:
  PtyMaster(vfs::Path path, uint32_t flags, RefPtr<Pty> pty, RefPtr<DevptsSuperblock> superblock)
      : PtyFile(std::move(path), flags, std::move(pty)), superblock_(std::move(superblock)) {}
  ~PtyMaster() override {
    superblock_->RemovePty(pty_->number());
    pty_->MasterClosed();
  }

  const RefPtr<DevptsSuperblock>& superblock() const { return superblock_; }
  Result<size_t> Read(std::span<std::byte> buffer) override { return pty_->MasterRead(buffer); }
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override {
    return pty_->MasterWrite(data);
  }
  EventMask Readiness(EventMask mask) override {
    return pty_->MasterReadiness() & (mask | EPOLLHUP | EPOLLERR);
  }
  WaitQueue* wait_queue() override { return &pty_->master_queue(); }
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override {
    return PtyIoctl(*pty_, /*master=*/true, request);
  }

 private:
  const RefPtr<DevptsSuperblock> superblock_;
};

class PtySlave final : public PtyFile {
 public:
  PtySlave(vfs::Path path, uint32_t flags, RefPtr<Pty> pty)
      : PtyFile(std::move(path), flags, std::move(pty)) {
    pty_->SlaveOpened();
  }
  ~PtySlave() override { pty_->SlaveClosed(); }

  Result<size_t> Read(std::span<std::byte> buffer) override {
    if (!readable()) return Errno(EBADF);
    TRY(CurrentJobControl().CheckRead(*pty_));
    return pty_->SlaveRead(buffer);
  }
  Result<size_t> Write(std::span<const std::byte> data, const vfs::Caller& caller) override {
    if (!writable()) return Errno(EBADF);
    if ((pty_->GetTermios().local_flags & TOSTOP) != 0) {
      TRY(CurrentJobControl().CheckWrite(*pty_, /*change_settings=*/false));
    }
    return pty_->SlaveWrite(data);
  }
  EventMask Readiness(EventMask mask) override {
    return pty_->SlaveReadiness() & (mask | EPOLLHUP | EPOLLERR);
  }
  WaitQueue* wait_queue() override { return &pty_->slave_queue(); }
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override {
    if (pty_->HungUp()) return Errno(request.command == TIOCSPGRP ? ENOTTY : EIO);
    return PtyIoctl(*pty_, /*master=*/false, request);
  }
};

}  // namespace

Result<RefPtr<vfs::FileDescription>> Pty::OpenAgain(const vfs::Path& path, uint32_t flags) {
  if (HungUp()) return Errno(EIO);
  return RefPtr<vfs::FileDescription>(MakeRef<PtySlave>(path, flags, RefPtr<Pty>(this)));
}

Result<RefPtr<vfs::FileDescription>> Pty::OpenSlave(const vfs::Path& path, uint32_t flags,
                                                    const vfs::Caller& caller) {
  if (locked()) return Errno(EIO);
  RefPtr<vfs::FileDescription> file = TRY(OpenAgain(path, flags));
  if ((flags & O_NOCTTY) == 0) CurrentJobControl().OnTerminalOpened(caller, *this);
  return file;
}

Result<RefPtr<vfs::FileDescription>> OpenMaster(RefPtr<DevptsSuperblock> superblock,
                                                const vfs::Path& path, uint32_t flags,
                                                const vfs::Caller& caller) {
  RefPtr<Pty> pty = TRY(superblock->AddPty(caller));
  return RefPtr<vfs::FileDescription>(
      MakeRef<PtyMaster>(path, flags, std::move(pty), std::move(superblock)));
}

Result<RefPtr<vfs::FileDescription>> OpenPtyPeer(vfs::FileDescription& file, uint32_t flags,
                                                 const vfs::Caller& caller) {
  auto* master = dynamic_cast<PtyMaster*>(&file);
  if (master == nullptr) return Errno(ENOTTY);
  RefPtr<vfs::Inode> inode = master->superblock()->SlaveInode(master->pty().number());
  if (!inode) return Errno(EIO);
  const vfs::Path path{file.path().mount,
                       vfs::Dentry::CreateAnonymous(
                           "/dev/pts/" + std::to_string(master->pty().number()), std::move(inode))};
  return master->pty().OpenAgain(path, flags);
}

}  // namespace redoubt::fs
