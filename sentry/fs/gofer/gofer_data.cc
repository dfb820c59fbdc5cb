// SPDX-License-Identifier: Apache-2.0
//
// Host descriptors of an inode: donated, used, given back.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/host/syscall.h"
#include "sentry/fs/gofer/gofer_inode.h"

namespace redoubt::gofer_fs {
namespace {

Result<OwnedFd> AskForDescriptor(GoferSuperblock& gofer, uint64_t handle, uint32_t access) {
  gofer::Exchange exchange;
  exchange.request.mutable_open()->set_handle(handle);
  exchange.request.mutable_open()->set_access(access);
  TRY(gofer.channel().Call(&exchange));
  if (!exchange.fd.valid()) return Errno(EIO);
  return std::move(exchange.fd);
}

}  // namespace

Result<HostFileUse> GoferInode::Use(Access access) {
  if (access == Access::kRead) {
    int fd = file(Access::kRead).Acquire();
    if (fd >= 0) return HostFileUse(&file(Access::kRead), fd);
    if (!write_only_.load(std::memory_order_relaxed)) {
      fd = file(Access::kWrite).Acquire();
      if (fd >= 0) return HostFileUse(&file(Access::kWrite), fd);
    }
  }
  return UseForMapping(access);
}

Result<HostFileUse> GoferInode::UseForMapping(Access access) {
  HostFile& wanted = file(access);
  int fd = wanted.Acquire();
  if (fd >= 0) return HostFileUse(&wanted, fd);
  MutexLock lock(&mu_);
  fd = wanted.Acquire();  // Another thread may have been faster.
  if (fd >= 0) return HostFileUse(&wanted, fd);
  return DonateLocked(access);
}

Result<HostFileUse> GoferInode::DonateLocked(Access access) {
  TRY(gofer_.pool().MakeRoom());
  bool writes = access == Access::kWrite;
  bool write_only = false;
  auto fd = AskForDescriptor(gofer_, handle(), writes ? O_RDWR : O_RDONLY);
  if (writes && fd.Is(EACCES)) {
    // A gofer without privileges, and a file that its user may only write.
    write_only = true;
    fd = AskForDescriptor(gofer_, handle(), O_WRONLY);
  }
  if (!fd.ok()) return fd.error();
  // Also the proof that it is what it should be: reading a pipe in its place could block for ever.
  TRY(StatLocked(fd->get()));
  if (writes) {
    write_only_.store(write_only, std::memory_order_relaxed);
    // On a host overlay the file may have been copied up just now; a mapping made from a reading
    // descriptor of before would show the old copy for ever.
    gofer_.pool().CloseUnused(&file(Access::kRead));
  }
  return gofer_.pool().Open(&file(access), std::move(fd).value());
}

// The descriptor that came with the creation of this file.
void GoferInode::TakeNewFile(OwnedFd fd) {
  if (!fd.valid() || !IsRegular() || !gofer_.pool().MakeRoom().ok()) return;
  MutexLock lock(&mu_);
  int open = file(Access::kWrite).Acquire();
  if (open >= 0) {
    file(Access::kWrite).Release();
    return;
  }
  if (!StatLocked(fd.get()).ok()) return;
  (void)gofer_.pool().Open(&file(Access::kWrite), std::move(fd));
}

// True when the size was set without the gofer. Not in a shared tree, where a descriptor that can
// write must not stay open without need.
bool GoferInode::TruncateHere(uint64_t size) {
  if (!IsRegular() || gofer_.shared()) return false;
  Result<HostFileUse> use = Use(Access::kWrite);
  if (!use.ok()) return false;
  auto cut = host::Call([&] { return ftruncate(use->fd(), static_cast<off_t>(size)); });
  MarkStale();
  return cut.ok();
}

// While a file is open for writing, the host can neither run it as a program nor, on some file
// systems, unmount or check it: not our right where the host uses the tree too.
void GoferInode::DropWriter() {
  bool last = writers_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  if (last && gofer_.shared()) gofer_.pool().CloseUnused(&file(Access::kWrite));
}

Result<void> GoferInode::SyncOnHost() {
  gofer::Exchange exchange;
  exchange.request.mutable_sync()->set_handle(handle());
  return gofer_.channel().Call(&exchange);
}

}  // namespace redoubt::gofer_fs
