// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/fs_context.h"

#include <utility>

namespace redoubt::kernel {

FsContext::FsContext(vfs::Path root, vfs::Path working_directory, uint32_t umask)
    : root_(std::move(root)), working_directory_(std::move(working_directory)), umask_(umask) {}

RefPtr<FsContext> FsContext::Fork() const {
  MutexLock lock(&mu_);
  return MakeRef<FsContext>(root_, working_directory_, umask_);
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
