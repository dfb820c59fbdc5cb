// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/file_description.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "sentry/vfs/caller.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/lock_table.h"

namespace redoubt::vfs {

namespace {

constexpr uint32_t kCreationFlags =
    O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr uint32_t kChangeableFlags = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC;
constexpr int64_t kMaxOffset = std::numeric_limits<int64_t>::max();

// A position moved by lseek(2): neither negative nor past the largest offset.
Result<int64_t> MovedBy(int64_t base, int64_t offset) {
  int64_t moved;
  if (__builtin_add_overflow(base, offset, &moved)) return Errno(offset < 0 ? EINVAL : EOVERFLOW);
  if (moved < 0) return Errno(EINVAL);
  return moved;
}

uint64_t InodeNumber(Inode& inode) {
  auto attributes = inode.GetAttributes();
  return attributes.ok() ? attributes->inode_number : 0;
}

// The inode that ".." of an open directory names.
RefPtr<Inode> ParentInode(const Path& path) {
  RefPtr<Dentry> parent;
  {
    ReaderMutexLock lock(&path.dentry->superblock()->tree_mu_);
    parent = path.dentry->parentLocked();
  }
  return parent ? parent->inode() : path.dentry->inode();
}

}  // namespace

FileDescription::FileDescription(Path path, uint32_t flags)
    : path_(std::move(path)), flags_(flags & ~kCreationFlags) {}

FileDescription::~FileDescription() {
  if (!path_.dentry || !inode()) return;
  if (LockTable* locks = inode()->locks_if_any()) locks->ReleaseDescription(*this);
}

bool FileDescription::readable() const {
  uint32_t access = flags() & O_ACCMODE;
  return !IsPathOnly() && (access == O_RDONLY || access == O_RDWR);
}

bool FileDescription::writable() const {
  uint32_t access = flags() & O_ACCMODE;
  return !IsPathOnly() && (access == O_WRONLY || access == O_RDWR);
}

Result<void> FileDescription::SetStatusFlags(uint32_t flags) {
  uint32_t old = flags_.load(std::memory_order_relaxed);
  uint32_t changed;
  do {
    changed = (old & ~kChangeableFlags) | (flags & kChangeableFlags);
  } while (!flags_.compare_exchange_weak(old, changed, std::memory_order_relaxed));
  return {};
}

Result<size_t> FileDescription::Read(std::span<std::byte> buffer) {
  return Errno(inode()->IsDirectory() ? EISDIR : EINVAL);
}

Result<size_t> FileDescription::Write(std::span<const std::byte> data, const Caller& caller) {
  return Errno(inode()->IsDirectory() ? EISDIR : EINVAL);
}

Result<size_t> FileDescription::PRead(std::span<std::byte> buffer, uint64_t offset) {
  return Errno(inode()->IsDirectory() ? EISDIR : ESPIPE);
}

Result<size_t> FileDescription::PWrite(std::span<const std::byte> data, uint64_t offset,
                                       const Caller& caller) {
  return Errno(inode()->IsDirectory() ? EISDIR : ESPIPE);
}

Result<int64_t> FileDescription::Seek(int64_t offset, int whence) {
  if (!inode()->IsDirectory()) return Errno(ESPIPE);
  // Directory offsets are the file system's cookies: only absolute and relative moves make sense.
  MutexLock lock(&mu_);
  if (whence != SEEK_SET && whence != SEEK_CUR) return Errno(EINVAL);
  position_ = TRY(MovedBy(whence == SEEK_SET ? 0 : position_, offset));
  return position_;
}

Result<void> FileDescription::ReadDirectory(DirectorySink& sink) {
  if (!inode()->IsDirectory()) return Errno(ENOTDIR);
  {
    ReaderMutexLock lock(&path_.dentry->superblock()->tree_mu_);
    if (path_.dentry->deletedLocked()) return Errno(ENOENT);
  }
  MutexLock lock(&mu_);
  if (position_ == 0) {
    if (!sink.Add({.name = ".",
                   .inode_number = InodeNumber(*inode()),
                   .type = DT_DIR,
                   .next_offset = 1})) {
      return {};
    }
    position_ = 1;
  }
  if (position_ == 1) {
    uint64_t parent = InodeNumber(*ParentInode(path_));
    if (!sink.Add({.name = "..", .inode_number = parent, .type = DT_DIR, .next_offset = 2})) {
      return {};
    }
    position_ = 2;
  }
  int64_t next = TRY(inode()->ReadDirectory(position_ == 2 ? 0 : position_, sink));
  position_ = std::max<int64_t>(next, 2);
  return {};
}

Result<Attributes> FileDescription::GetAttributes() { return inode()->GetAttributes(); }

Result<void> FileDescription::SetAttributes(const AttributeChange& change) {
  return inode()->SetAttributes(change);
}

void FileDescription::OnDescriptorClosed(int tgid) {
  if (!path_.dentry || !inode()) return;
  if (LockTable* locks = inode()->locks_if_any()) locks->ReleaseProcess(tgid);
}

Result<size_t> SeekableFile::Read(std::span<std::byte> buffer) {
  MutexLock lock(&mu_);
  size_t done = TRY(PRead(buffer, static_cast<uint64_t>(position_)));
  position_ += static_cast<int64_t>(done);
  return done;
}

Result<size_t> SeekableFile::Write(std::span<const std::byte> data, const Caller& caller) {
  MutexLock lock(&mu_);
  size_t done = TRY(PWrite(data, static_cast<uint64_t>(position_), caller));
  if ((flags() & O_APPEND) != 0) {
    position_ = static_cast<int64_t>(TRY(EndOfFile()));
  } else {
    position_ += static_cast<int64_t>(done);
  }
  return done;
}

Result<uint64_t> SeekableFile::EndOfFile() {
  Attributes attributes = TRY(GetAttributes());
  return attributes.size;
}

Result<uint64_t> SeekableFile::SeekData(uint64_t offset, bool hole) {
  uint64_t end = TRY(EndOfFile());
  if (offset >= end) return Errno(ENXIO);
  return hole ? end : offset;
}

Result<int64_t> SeekableFile::Seek(int64_t offset, int whence) {
  MutexLock lock(&mu_);
  int64_t base = 0;
  switch (whence) {
    case SEEK_SET:
      break;
    case SEEK_CUR:
      base = position_;
      break;
    case SEEK_END:
      base = static_cast<int64_t>(TRY(EndOfFile()));
      break;
    case SEEK_DATA:
    case SEEK_HOLE:
      if (offset < 0) return Errno(ENXIO);
      position_ =
          static_cast<int64_t>(TRY(SeekData(static_cast<uint64_t>(offset), whence == SEEK_HOLE)));
      return position_;
    default:
      return Errno(EINVAL);
  }
  position_ = TRY(MovedBy(base, offset));
  return position_;
}

Result<size_t> LimitWrite(const Caller& caller, uint64_t offset, size_t size) {
  uint64_t limit = std::min<uint64_t>(caller.file_size_limit, kMaxOffset);
  if (size == 0) return size_t{0};
  if (offset >= limit) return Errno(EFBIG);
  return static_cast<size_t>(std::min<uint64_t>(size, limit - offset));
}

Result<size_t> GeneratedFile::PRead(std::span<std::byte> buffer, uint64_t offset) {
  {
    MutexLock lock(&content_mu_);
    if (generated_ && offset != 0) {
      if (offset >= content_.size()) return size_t{0};
      size_t size = std::min(buffer.size(), content_.size() - offset);
      std::memcpy(buffer.data(), content_.data() + offset, size);
      return size;
    }
  }
  // Made without the lock, which is a leaf: what generates looks at the whole kernel.
  std::string fresh = TRY(Generate());
  MutexLock lock(&content_mu_);
  content_ = std::move(fresh);
  generated_ = true;
  if (offset >= content_.size()) return size_t{0};
  size_t size = std::min(buffer.size(), content_.size() - offset);
  std::memcpy(buffer.data(), content_.data() + offset, size);
  return size;
}

}  // namespace redoubt::vfs
