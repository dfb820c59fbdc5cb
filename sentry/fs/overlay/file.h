// SPDX-License-Identifier: Apache-2.0
//
// An open regular file of the overlay: a layer's open file behind it. One opened for reading on a
// lower layer moves on to the upper copy once there is one; what it mapped before stays what it was
// (Linux's overlayfs documents the same).
#ifndef SENTRY_FS_OVERLAY_FILE_H_
#define SENTRY_FS_OVERLAY_FILE_H_

#include <atomic>

#include "sentry/fs/overlay/inode.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::overlay {

class OverlayFile : public vfs::SeekableFile {
 public:
  static Result<RefPtr<vfs::FileDescription>> Open(OverlayInode& inode, const vfs::Path& path,
                                                   uint32_t flags, const vfs::Caller& caller);
  OverlayFile(const vfs::Path& path, uint32_t flags, RefPtr<vfs::FileDescription> real,
              bool is_upper);

  Result<void> SetStatusFlags(uint32_t flags) override;
  Result<size_t> PRead(std::span<std::byte> buffer, uint64_t offset) override;
  Result<size_t> PWrite(std::span<const std::byte> data, uint64_t offset,
                        const vfs::Caller& caller) override;
  Result<uint64_t> Ioctl(const vfs::IoctlRequest& request) override;
  Result<void> Allocate(int mode, uint64_t offset, uint64_t length) override;
  Result<void> Sync(bool data_only) override;
  Result<vfs::HostMapping> Map(bool shared_writable) override;

 protected:
  Result<uint64_t> SeekData(uint64_t offset, bool hole) override;

 private:
  OverlayInode& overlay_inode() const { return static_cast<OverlayInode&>(*inode()); }
  // The layer's file to use now.
  Result<vfs::FileDescription*> Real();

  const RefPtr<vfs::FileDescription> first_;
  const bool first_is_upper_;
  Mutex<LockRank::kLeaf> second_mu_;
  RefPtr<vfs::FileDescription> second_ ABSL_GUARDED_BY(second_mu_);
  std::atomic<vfs::FileDescription*> current_;  // first_ or second_.
};

}  // namespace redoubt::overlay

#endif  // SENTRY_FS_OVERLAY_FILE_H_
