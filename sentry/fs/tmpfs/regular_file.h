// SPDX-License-Identifier: Apache-2.0
//
// A regular file of a tmpfs, and an open one.
#ifndef SENTRY_FS_TMPFS_REGULAR_FILE_H_
#define SENTRY_FS_TMPFS_REGULAR_FILE_H_

#include "sentry/fs/tmpfs/contents.h"
#include "sentry/fs/tmpfs/inode.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::tmpfs {

class RegularFile : public TmpfsInode {
 public:
  RegularFile(RefPtr<TmpfsSuperblock> superblock, const vfs::CreateRequest& request);

  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override;

  // `touch`: whether the access time is kept (relatime's rules).
  Result<size_t> Read(std::span<std::byte> buffer, uint64_t offset, bool touch);
  // `append`: at the end, wherever that is.
  Result<size_t> Write(std::span<const std::byte> data, uint64_t offset, bool append,
                       const vfs::Caller& caller);
  Result<void> Allocate(int mode, uint64_t offset, uint64_t length);
  Result<uint64_t> SeekData(uint64_t offset, bool hole);
  Result<vfs::HostMapping> Map(bool shared_writable);
  uint64_t Size();

  // fcntl(F_ADD_SEALS, F_GET_SEALS). Files not made by memfd_create carry F_SEAL_SEAL.
  Result<void> AddSeals(uint32_t seals);
  uint32_t GetSeals();
  void SetInitialSeals(uint32_t seals);

 private:
  void FillAttributesLocked(vfs::Attributes& attributes) const override
      ABSL_SHARED_LOCKS_REQUIRED(mu_);
  Result<void> ResizeLocked(uint64_t size) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Result<void> AllocateLocked(int mode, uint64_t offset, uint64_t length)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool SealedLocked(uint32_t seals) const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return (seals_ & seals) != 0;
  }
  void TouchAccess();

  Contents contents_ ABSL_GUARDED_BY(mu_);
  uint32_t seals_ ABSL_GUARDED_BY(mu_);
};

class OpenRegularFile : public vfs::SeekableFile {
 public:
  using SeekableFile::SeekableFile;
  Result<size_t> PRead(std::span<std::byte> buffer, uint64_t offset) override;
  Result<size_t> PWrite(std::span<const std::byte> data, uint64_t offset,
                        const vfs::Caller& caller) override;
  Result<void> Allocate(int mode, uint64_t offset, uint64_t length) override;
  Result<vfs::HostMapping> Map(bool shared_writable) override;
  RegularFile& file() const { return static_cast<RegularFile&>(*inode()); }

 protected:
  Result<uint64_t> EndOfFile() override { return file().Size(); }
  Result<uint64_t> SeekData(uint64_t offset, bool hole) override {
    return file().SeekData(offset, hole);
  }
};

}  // namespace redoubt::tmpfs

#endif  // SENTRY_FS_TMPFS_REGULAR_FILE_H_
