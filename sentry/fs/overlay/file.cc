// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/overlay/file.h"

#include "sentry/vfs/caller.h"

namespace redoubt::overlay {

Result<RefPtr<vfs::FileDescription>> OverlayFile::Open(OverlayInode& inode, const vfs::Path& path,
                                                       uint32_t flags, const vfs::Caller& caller) {
  vfs::Inode& top = inode.top();
  RefPtr<vfs::Inode> layer(&top);
  RefPtr<vfs::FileDescription> real = TRY(top.Open(PathOf(layer, path.mount), flags, caller));
  return MakeRef<OverlayFile>(path, flags, std::move(real), &top == inode.upper());
}

OverlayFile::OverlayFile(const vfs::Path& path, uint32_t flags, RefPtr<vfs::FileDescription> real,
                         bool is_upper)
    : SeekableFile(path, flags),
      first_(std::move(real)),
      first_is_upper_(is_upper),
      current_(first_.get()) {}

Result<vfs::FileDescription*> OverlayFile::Real() {
  vfs::FileDescription* current = current_.load(std::memory_order_acquire);
  if (first_is_upper_ || current != first_.get()) return current;
  vfs::Inode* upper = overlay_inode().upper();
  if (!upper) return current;
  // Copied up since: go on with the copy.
  RefPtr<vfs::Inode> layer(upper);
  RefPtr<vfs::FileDescription> copy =
      TRY(upper->Open(PathOf(layer, path().mount), flags(), SelfCaller()));
  MutexLock lock(&second_mu_);
  if (!second_) second_ = std::move(copy);
  current_.store(second_.get(), std::memory_order_release);
  return second_.get();
}

Result<void> OverlayFile::SetStatusFlags(uint32_t flags) {
  TRY(TRY(Real())->SetStatusFlags(flags));
  return FileDescription::SetStatusFlags(flags);
}

Result<size_t> OverlayFile::PRead(std::span<std::byte> buffer, uint64_t offset) {
  return TRY(Real())->PRead(buffer, offset);
}

Result<size_t> OverlayFile::PWrite(std::span<const std::byte> data, uint64_t offset,
                                   const vfs::Caller& caller) {
  return TRY(Real())->PWrite(data, offset, caller);
}

Result<uint64_t> OverlayFile::Ioctl(const vfs::IoctlRequest& request) {
  return TRY(Real())->Ioctl(request);
}

Result<void> OverlayFile::Allocate(int mode, uint64_t offset, uint64_t length) {
  return TRY(Real())->Allocate(mode, offset, length);
}

Result<void> OverlayFile::Sync(bool data_only) { return TRY(Real())->Sync(data_only); }

Result<vfs::HostMapping> OverlayFile::Map(bool shared_writable) {
  return TRY(Real())->Map(shared_writable);
}

Result<uint64_t> OverlayFile::SeekData(uint64_t offset, bool hole) {
  // The layer's file has a position of its own, which nobody else uses.
  int64_t found =
      TRY(TRY(Real())->Seek(static_cast<int64_t>(offset), hole ? SEEK_HOLE : SEEK_DATA));
  return static_cast<uint64_t>(found);
}

}  // namespace redoubt::overlay
