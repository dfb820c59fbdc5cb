// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/fs_context.h"

#include <utility>

namespace redoubt::kernel {

FsContext::FsContext(RefPtr<vfs::MountNamespace> mounts, vfs::Path root,
                     vfs::Path working_directory, uint32_t umask)
    : mounts_(std::move(mounts)),
      root_(std::move(root)),
      working_directory_(std::move(working_directory)),
      umask_(umask) {}

RefPtr<FsContext> FsContext::Fork() const {
  MutexLock lock(&mu_);
  return MakeRef<FsContext>(mounts_, root_, working_directory_, umask_);
}

RefPtr<vfs::MountNamespace> FsContext::mounts() const {
  MutexLock lock(&mu_);
  return mounts_;
}

void FsContext::UnshareMounts() {
  vfs::Path root = this->root(), directory = working_directory();
  vfs::Path* const moved[] = {&root, &directory};
  RefPtr<vfs::MountNamespace> copy = mounts()->Clone(moved);
  MutexLock lock(&mu_);
  std::swap(mounts_, copy);
  std::swap(root_, root);
  std::swap(working_directory_, directory);
}

void FsContext::EnterMounts(RefPtr<vfs::MountNamespace> mounts) {
  vfs::Path root = mounts->RootPath(), directory = root;
  MutexLock lock(&mu_);
  std::swap(mounts_, mounts);
  std::swap(root_, root);
  std::swap(working_directory_, directory);
}

void FsContext::ReplacePlace(const vfs::Path& from, const vfs::Path& to) {
  vfs::Path root = to, directory = to;  // What is replaced dies after the lock.
  MutexLock lock(&mu_);
  if (root_ == from) std::swap(root_, root);
  if (working_directory_ == from) std::swap(working_directory_, directory);
}

vfs::Path FsContext::root() const {
  MutexLock lock(&mu_);
  return root_;
}

vfs::Path FsContext::working_directory() const {
  MutexLock lock(&mu_);
  return working_directory_;
}

uint32_t FsContext::umask() const {
  MutexLock lock(&mu_);
  return umask_;
}

void FsContext::Describe(vfs::Caller& caller) const {
  MutexLock lock(&mu_);
  caller.root = root_;
  caller.working_directory = working_directory_;
  caller.umask = umask_;
}

// The old place is released after the lock: its last reference may end a whole file system.
void FsContext::SetRoot(vfs::Path root) {
  MutexLock lock(&mu_);
  std::swap(root_, root);  // `root` outlives `lock`.
}

void FsContext::SetWorkingDirectory(vfs::Path directory) {
  MutexLock lock(&mu_);
  std::swap(working_directory_, directory);
}

uint32_t FsContext::SetUmask(uint32_t umask) {
  MutexLock lock(&mu_);
  return std::exchange(umask_, umask & 0777);
}

}  // namespace redoubt::kernel
