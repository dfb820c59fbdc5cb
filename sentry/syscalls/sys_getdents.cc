// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_getdents.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sentry/syscalls/user_segments.h"
#include "sentry/vfs/notify.h"

namespace redoubt::syscalls {

namespace {

// What struct linux_dirent and struct linux_dirent64 begin with.
struct EntryHeader {
  uint64_t inode_number;
  int64_t next_offset;
  uint16_t length;
} __attribute__((packed));
static_assert(sizeof(EntryHeader) == 18);

constexpr size_t AlignedTo8(size_t size) { return (size + 7) & ~size_t{7}; }

// Writes entries into `buffer` in the old or the new form: the old one has the type in its last
// byte, the new one before the name.
class EntryWriter final : public vfs::DirectorySink {
 public:
  EntryWriter(std::span<std::byte> buffer, bool old_form) : buffer_(buffer), old_form_(old_form) {}

  bool Add(const vfs::DirectoryEntry& entry) override {
    size_t length = AlignedTo8(sizeof(EntryHeader) + entry.name.size() + 2);
    if (length > buffer_.size() - used_) {
      overflowed_ = true;
      return false;
    }
    std::byte* at = buffer_.data() + used_;
    std::memset(at, 0, length);
    EntryHeader header{entry.inode_number, entry.next_offset, static_cast<uint16_t>(length)};
    std::memcpy(at, &header, sizeof(header));
    at[old_form_ ? length - 1 : sizeof(header)] = std::byte{entry.type};
    size_t name_at = sizeof(header) + (old_form_ ? 0 : 1);
    std::memcpy(at + name_at, entry.name.data(), entry.name.size());
    used_ += length;
    return true;
  }

  std::span<const std::byte> written() const { return buffer_.first(used_); }
  bool NothingFitted() const { return overflowed_ && used_ == 0; }

 private:
  const std::span<std::byte> buffer_;
  const bool old_form_;
  size_t used_ = 0;
  bool overflowed_ = false;
};

SyscallResult ReadEntries(Task& task, int fd, UserBytesOut user, uint32_t count, bool old_form) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  if (!file->inode()->IsDirectory()) return Errno(ENOTDIR);
  TRY(CheckUserRange(user.address(), count));
  Result<int64_t> before = file->Seek(0, SEEK_CUR);
  EntryWriter writer(task.IoBuffer(count), old_form);
  TRY(file->ReadDirectory(writer));
  vfs::NotifyFile(*file, IN_ACCESS);
  if (writer.NothingFitted()) return Errno(EINVAL);
  Result<void> copied = task.CopyOut(user.address(), writer.written());
  if (!copied.ok()) {
    if (before.ok()) (void)file->Seek(*before, SEEK_SET);
    return copied.error();
  }
  return writer.written().size();
}

}  // namespace

SyscallResult SysGetdents(Task& task, FdNumber fd, UserBytesOut buffer, uint32_t count) {
  return ReadEntries(task, fd, buffer, count, true);
}

SyscallResult SysGetdents64(Task& task, FdNumber fd, UserBytesOut buffer, uint32_t count) {
  return ReadEntries(task, fd, buffer, count, false);
}

}  // namespace redoubt::syscalls
