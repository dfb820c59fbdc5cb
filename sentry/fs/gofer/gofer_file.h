// SPDX-License-Identifier: Apache-2.0
//
// Open files of the gofer's file system. Data goes straight to the host by the inode's donated
// descriptor; the gofer is not asked.
#ifndef SENTRY_FS_GOFER_GOFER_FILE_H_
#define SENTRY_FS_GOFER_GOFER_FILE_H_

#include <array>

#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::gofer_fs {

class GoferFile final : public vfs::SeekableFile {
 public:
  GoferFile(vfs::Path path, uint32_t flags);
  ~GoferFile() override;

  Result<size_t> PRead(std::span<std::byte> buffer, uint64_t offset) override;
  Result<size_t> PWrite(std::span<const std::byte> data, uint64_t offset,
                        const vfs::Caller& caller) override;
  Result<void> Allocate(int mode, uint64_t offset, uint64_t length) override;
  Result<void> Sync(bool data_only) override;
  Result<vfs::HostMapping> Map(bool shared_writable) override;

 protected:
  Result<uint64_t> SeekData(uint64_t offset, bool hole) override;

 private:
  GoferInode& file() const { return static_cast<GoferInode&>(*inode()); }

  Mutex<LockRank::kFile> map_mu_;
  // What was given out by Map stays open as long as this file.
  std::array<HostFileUse, 2> mapped_ ABSL_GUARDED_BY(map_mu_);
};

class GoferDirectory final : public vfs::FileDescription {
 public:
  GoferDirectory(vfs::Path path, uint32_t flags);
  ~GoferDirectory() override;
  Result<void> Sync(bool data_only) override;

 private:
  GoferInode& directory() const { return static_cast<GoferInode&>(*inode()); }
};

}  // namespace redoubt::gofer_fs

#endif  // SENTRY_FS_GOFER_GOFER_FILE_H_
