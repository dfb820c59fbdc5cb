// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tmpfs/regular_file.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <limits>

#include "sentry/vfs/caller.h"
#include "sentry/vfs/permission.h"

namespace redoubt::tmpfs {

namespace {

constexpr uint32_t kWriteSeals = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
constexpr uint32_t kExecSeal = 0x20;  // F_SEAL_EXEC
constexpr uint32_t kAllSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | kWriteSeals | kExecSeal;
constexpr uint64_t kMaxSize = std::numeric_limits<int64_t>::max();
constexpr int64_t kDay = 24 * 60 * 60;

bool NotAfter(const vfs::FileTime& a, const vfs::FileTime& b) {
  return a.seconds != b.seconds ? a.seconds < b.seconds : a.nanoseconds <= b.nanoseconds;
}

// relatime: the access time matters when it is older than the last change, or than a day.
bool AccessTimeIsOld(const vfs::Attributes& attributes) {
  return NotAfter(attributes.access_time, attributes.modify_time) ||
         NotAfter(attributes.access_time, attributes.change_time) ||
         vfs::Now().seconds - attributes.access_time.seconds >= kDay;
}

}  // namespace

RegularFile::RegularFile(RefPtr<TmpfsSuperblock> superblock, const vfs::CreateRequest& request)
    : TmpfsInode(superblock, request), contents_(superblock->pages()), seals_(F_SEAL_SEAL) {}

Result<RefPtr<vfs::FileDescription>> RegularFile::Open(const vfs::Path& path, uint32_t flags,
                                                       const vfs::Caller& caller) {
  return MakeRef<OpenRegularFile>(path, flags);
}

void RegularFile::FillAttributesLocked(vfs::Attributes& attributes) const {
  attributes.size = contents_.size();
  attributes.blocks = contents_.pages() * (kPageSize / 512);
}

uint64_t RegularFile::Size() {
  ReaderMutexLock lock(&mu_);
  return contents_.size();
}

Result<size_t> RegularFile::Read(std::span<std::byte> buffer, uint64_t offset, bool touch) {
  size_t done;
  {
    ReaderMutexLock lock(&mu_);
    done = TRY(contents_.Read(buffer, offset));
    touch = touch && AccessTimeIsOld(attributes_);
  }
  if (touch) TouchAccess();
  return done;
}

void RegularFile::TouchAccess() {
  MutexLock lock(&mu_);
  attributes_.access_time = vfs::Now();
}

Result<size_t> RegularFile::Write(std::span<const std::byte> data, uint64_t offset, bool append,
                                  const vfs::Caller& caller) {
  MutexLock lock(&mu_);
  if (append) offset = contents_.size();
  size_t size = TRY(vfs::LimitWrite(caller, offset, data.size()));
  if (SealedLocked(kWriteSeals)) return Errno(EPERM);
  if (SealedLocked(F_SEAL_GROW) && offset + size > contents_.size()) return Errno(EPERM);
  size_t done = TRY(contents_.Write(data.first(size), offset));
  if (done > 0) {
    DropPrivilegesLocked(caller);
    TouchLocked();
  }
  return done;
}

Result<void> RegularFile::ResizeLocked(uint64_t size) {
  if (size > kMaxSize) return Errno(EFBIG);
  if (SealedLocked(F_SEAL_SHRINK) && size < contents_.size()) return Errno(EPERM);
  if (SealedLocked(F_SEAL_GROW) && size > contents_.size()) return Errno(EPERM);
  return contents_.Resize(size);
}

Result<void> RegularFile::Allocate(int mode, uint64_t offset, uint64_t length) {
  if (length == 0) return Errno(EINVAL);
  if (offset > kMaxSize || length > kMaxSize - offset) return Errno(EFBIG);
  MutexLock lock(&mu_);
  TRY(AllocateLocked(mode, offset, length));
  TouchLocked();
  return {};
}

Result<void> RegularFile::AllocateLocked(int mode, uint64_t offset, uint64_t length) {
  bool keep_size = (mode & FALLOC_FL_KEEP_SIZE) != 0;
  int action = mode & ~FALLOC_FL_KEEP_SIZE;
  bool grows = !keep_size && offset + length > contents_.size();
  if (grows && SealedLocked(F_SEAL_GROW)) return Errno(EPERM);
  switch (action) {
    case 0:
      return contents_.Allocate(offset, length, keep_size);
    case FALLOC_FL_PUNCH_HOLE:
      if (!keep_size) return Errno(EOPNOTSUPP);
      if (SealedLocked(kWriteSeals)) return Errno(EPERM);
      return contents_.PunchHole(offset, length);
    case FALLOC_FL_ZERO_RANGE:
      if (SealedLocked(kWriteSeals)) return Errno(EPERM);
      TRY(contents_.PunchHole(offset, length));
      return contents_.Allocate(offset, length, keep_size);
    default:
      return Errno(EOPNOTSUPP);
  }
}

Result<uint64_t> RegularFile::SeekData(uint64_t offset, bool hole) {
  ReaderMutexLock lock(&mu_);
  return contents_.SeekData(offset, hole);
}

Result<vfs::HostMapping> RegularFile::Map(bool shared_writable) {
  MutexLock lock(&mu_);
  if (shared_writable && SealedLocked(kWriteSeals)) return Errno(EPERM);
  HostFile* host = TRY(contents_.Host());
  return vfs::HostMapping{.fd = host->MappableFd(shared_writable), .offset_bias = 0};
}

void RegularFile::SetInitialSeals(uint32_t seals) {
  MutexLock lock(&mu_);
  seals_ = seals;
}

uint32_t RegularFile::GetSeals() {
  ReaderMutexLock lock(&mu_);
  return seals_;
}

Result<void> RegularFile::AddSeals(uint32_t seals) {
  if ((seals & ~kAllSeals) != 0) return Errno(EINVAL);
  MutexLock lock(&mu_);
  if (SealedLocked(F_SEAL_SEAL)) return Errno(EPERM);
  // Only the host knows whether someone has it mapped for writing: it says EBUSY then.
  HostFile* host = contents_.host_if_any();
  if (host && (seals & kWriteSeals & ~seals_) != 0) TRY(host->AddSeals(seals & kWriteSeals));
  seals_ |= seals;
  return {};
}

Result<size_t> OpenRegularFile::PRead(std::span<std::byte> buffer, uint64_t offset) {
  bool touch = (flags() & O_NOATIME) == 0 && (path().mount->flags() & MS_NOATIME) == 0 &&
               !path().mount->IsReadOnly();
  return file().Read(buffer, offset, touch);
}

Result<size_t> OpenRegularFile::PWrite(std::span<const std::byte> data, uint64_t offset,
                                       const vfs::Caller& caller) {
  return file().Write(data, offset, (flags() & O_APPEND) != 0, caller);
}

Result<void> OpenRegularFile::Allocate(int mode, uint64_t offset, uint64_t length) {
  return file().Allocate(mode, offset, length);
}

Result<vfs::HostMapping> OpenRegularFile::Map(bool shared_writable) {
  return file().Map(shared_writable);
}

}  // namespace redoubt::tmpfs
