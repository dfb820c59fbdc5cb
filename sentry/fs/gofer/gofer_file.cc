// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/gofer/gofer_file.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/uio.h>
#include <unistd.h>

#include <limits>

#include "base/host/syscall.h"
#include "sentry/vfs/caller.h"

namespace redoubt::gofer_fs {
namespace {

constexpr uint64_t kMostOffset = std::numeric_limits<int64_t>::max();
constexpr int kKnownAllocateModes =
    FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;

int WriteFlags(uint32_t flags) {
  int result = 0;
  if ((flags & O_APPEND) != 0) result |= RWF_APPEND;
  if ((flags & O_SYNC) == O_SYNC) {
    result |= RWF_SYNC;
  } else if ((flags & O_DSYNC) != 0) {
    result |= RWF_DSYNC;
  }
  return result;
}

// The descriptor is shared by all open files of the inode, so what is this file's own (append,
// write-through) goes with the call.
Result<size_t> WriteOnHost(int fd, std::span<const std::byte> data, uint64_t offset,
                           uint32_t flags) {
  auto position = static_cast<off_t>(offset);
  int write_flags = WriteFlags(flags);
  if (write_flags == 0) {
    return host::Call([&] { return pwrite(fd, data.data(), data.size(), position); });
  }
  iovec vector = {const_cast<std::byte*>(data.data()), data.size()};
  return host::Call([&] { return pwritev2(fd, &vector, 1, position, write_flags); });
}

}  // namespace

GoferFile::GoferFile(vfs::Path path, uint32_t flags) : SeekableFile(std::move(path), flags) {
  if (writable()) file().AddWriter();
}

GoferFile::~GoferFile() {
  {
    MutexLock lock(&map_mu_);
    for (HostFileUse& use : mapped_) HostFileUse(std::move(use));
  }
  if (writable()) file().DropWriter();
}

Result<size_t> GoferFile::PRead(std::span<std::byte> buffer, uint64_t offset) {
  if (offset > kMostOffset) return Errno(EINVAL);
  HostFileUse use = TRY(file().Use(Access::kRead));
  size_t size = TRY(host::Call(
      [&] { return pread(use.fd(), buffer.data(), buffer.size(), static_cast<off_t>(offset)); }));
  file().WasRead();
  return size;
}

Result<size_t> GoferFile::PWrite(std::span<const std::byte> data, uint64_t offset,
                                 const vfs::Caller& caller) {
  if (offset > kMostOffset) return Errno(EINVAL);
  bool is_limited = caller.file_size_limit < kMostOffset;
  if ((flags() & O_APPEND) != 0 && is_limited) offset = TRY(EndOfFile());
  size_t allowed = TRY(vfs::LimitWrite(caller, offset, data.size()));
  HostFileUse use = TRY(file().Use(Access::kWrite));
  Result<size_t> size = WriteOnHost(use.fd(), data.first(allowed), offset, flags());
  file().MarkStale();
  return size;
}

Result<uint64_t> GoferFile::SeekData(uint64_t offset, bool hole) {
  HostFileUse use = TRY(file().Use(Access::kRead));
  // The descriptor's own position is nobody's, so moving it harms nobody.
  return host::Call(
      [&] { return lseek(use.fd(), static_cast<off_t>(offset), hole ? SEEK_HOLE : SEEK_DATA); });
}

Result<void> GoferFile::Allocate(int mode, uint64_t offset, uint64_t length) {
  if ((mode & ~kKnownAllocateModes) != 0) return Errno(EOPNOTSUPP);
  HostFileUse use = TRY(file().Use(Access::kWrite));
  auto allocated = host::Call([&] {
    return fallocate(use.fd(), mode, static_cast<off_t>(offset), static_cast<off_t>(length));
  });
  file().MarkStale();
  TRY(std::move(allocated));
  return {};
}

Result<void> GoferFile::Sync(bool data_only) {
  HostFileUse use = TRY(file().Use(writable() ? Access::kWrite : Access::kRead));
  TRY(host::Call([&] { return data_only ? fdatasync(use.fd()) : fsync(use.fd()); }));
  return {};
}

// A mapping of a file that is open for reading only must never become writable, so it gets a
// descriptor that cannot write.
Result<vfs::HostMapping> GoferFile::Map(bool shared_writable) {
  if (!readable() || (shared_writable && !writable())) return Errno(EACCES);
  Access access = shared_writable ? Access::kWrite : Access::kRead;
  MutexLock lock(&map_mu_);
  HostFileUse& kept = mapped_[static_cast<size_t>(access)];
  if (!kept.valid()) kept = TRY(file().UseForMapping(access));
  if (shared_writable) file().MarkAlwaysStale();
  file().WasRead();
  return vfs::HostMapping{.fd = kept.fd()};
}

GoferDirectory::GoferDirectory(vfs::Path path, uint32_t flags)
    : FileDescription(std::move(path), flags) {
  directory().AddReader();
}

GoferDirectory::~GoferDirectory() { directory().DropReader(); }

Result<void> GoferDirectory::Sync(bool data_only) { return directory().SyncOnHost(); }

}  // namespace redoubt::gofer_fs
