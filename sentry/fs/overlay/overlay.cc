// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/overlay/overlay.h"

#include "sentry/fs/overlay/directory.h"
#include "sentry/fs/overlay/inode.h"
#include "sentry/fs/overlay/layer.h"

namespace redoubt::overlay {

namespace {

constexpr uint64_t kMagic = 0x794c7630;  // OVERLAYFS_SUPER_MAGIC

}  // namespace

OverlaySuperblock::OverlaySuperblock(Layers layers)
    : Superblock("overlay"), layers_(std::move(layers)) {}

Result<vfs::FilesystemStatus> OverlaySuperblock::Status() {
  const RefPtr<vfs::Inode>& top = layers_.upper ? layers_.upper : layers_.lowers.front();
  vfs::FilesystemStatus status = TRY(top->superblock()->Status());
  status.magic = kMagic;
  return status;
}

std::string OverlaySuperblock::ShowOptions() const { return writable() ? "xino=on" : ""; }

bool OverlaySuperblock::NeedsRevalidation() const {
  for (const RefPtr<vfs::Inode>& lower : layers_.lowers) {
    if (lower->superblock()->NeedsRevalidation()) return true;
  }
  return false;
}

Result<void> OverlaySuperblock::Sync() {
  if (layers_.upper) TRY(layers_.upper->superblock()->Sync());
  return {};
}

RefPtr<OverlayInode> OverlaySuperblock::Find(uint64_t number) {
  MutexLock lock(&table_mu_);
  auto found = inodes_.find(number);
  if (found == inodes_.end() || !found->second->TryRef()) return nullptr;
  return RefPtr<OverlayInode>::Adopt(found->second);
}

RefPtr<OverlayInode> OverlaySuperblock::Enter(RefPtr<OverlayInode> inode) {
  MutexLock lock(&table_mu_);
  OverlayInode*& entry = inodes_[inode->number()];
  if (entry && entry->type() == inode->type() && entry->TryRef()) {
    return RefPtr<OverlayInode>::Adopt(entry);
  }
  entry = inode.get();
  return inode;
}

void OverlaySuperblock::Leave(OverlayInode& inode) {
  MutexLock lock(&table_mu_);
  auto found = inodes_.find(inode.number());
  if (found != inodes_.end() && found->second == &inode) inodes_.erase(found);
}

RefPtr<vfs::Inode> OverlaySuperblock::FindCopy(uint64_t number) {
  MutexLock lock(&table_mu_);
  auto found = copies_.find(number);
  return found == copies_.end() ? nullptr : found->second;
}

void OverlaySuperblock::RememberCopy(uint64_t number, RefPtr<vfs::Inode> upper) {
  MutexLock lock(&table_mu_);
  copies_[number] = std::move(upper);
}

Result<RefPtr<vfs::Inode>> NewRoot(Layers layers) {
  if (layers.lowers.empty()) return Errno(EINVAL);
  for (const RefPtr<vfs::Inode>& lower : layers.lowers) {
    if (!lower->IsDirectory()) return Errno(ENOTDIR);
  }
  Stack stack{.upper = layers.upper, .lowers = {}};
  for (size_t i = 0; i < layers.lowers.size(); ++i) {
    stack.lowers.push_back({.inode = layers.lowers[i], .layer = static_cast<unsigned>(i + 1)});
  }
  // The root looks like the topmost lower one.
  if (layers.upper) TRY(CopyMetadata(*layers.lowers.front(), *layers.upper));
  auto superblock = MakeRef<OverlaySuperblock>(std::move(layers));
  uint64_t number = TRY(NumberOf(stack));
  return RefPtr<vfs::Inode>(
      MakeRef<OverlayDirectory>(std::move(superblock), std::move(stack), number, Place{}));
}

Result<RefPtr<vfs::Mount>> NewMount(Layers layers, unsigned long flags, std::string source) {
  RefPtr<vfs::Inode> root = TRY(NewRoot(std::move(layers)));
  RefPtr<vfs::Superblock> superblock = root->superblock();
  auto dentry = MakeRef<vfs::Dentry>(superblock, nullptr, std::string(), std::move(root));
  return MakeRef<vfs::Mount>(std::move(superblock), std::move(dentry), flags, std::move(source));
}

}  // namespace redoubt::overlay
