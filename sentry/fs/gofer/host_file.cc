// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/gofer/host_file.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace redoubt::gofer_fs {
namespace {

size_t HalfOfTheLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  return std::clamp<size_t>(limit.rlim_cur / 2, 16, 1 << 19);
}

}  // namespace

HostFilePool::HostFilePool(size_t limit) : limit_(limit != 0 ? limit : HalfOfTheLimit()) {}

Result<void> HostFilePool::MakeRoom() {
  MutexLock lock(&mu_);
  // The clock: two rounds, since the first may only clear marks.
  for (size_t steps = 2 * open_.size(); open_.size() >= limit_ && steps > 0; --steps) {
    if (hand_ >= open_.size()) hand_ = 0;
    HostFile* file = open_[hand_];
    if (file->recent_.exchange(false, std::memory_order_relaxed) || !TryClose(file)) ++hand_;
  }
  if (open_.size() >= limit_) return Errno(ENFILE);
  return {};
}

HostFileUse HostFilePool::Open(HostFile* file, OwnedFd fd) {
  MutexLock lock(&mu_);
  CHECK(file->users_.load(std::memory_order_relaxed) == HostFile::kClosed);
  int raw = fd.Release();
  file->fd_.store(raw, std::memory_order_relaxed);
  file->recent_.store(true, std::memory_order_relaxed);
  file->index_ = open_.size();
  open_.push_back(file);
  file->users_.store(1, std::memory_order_release);
  return HostFileUse(file, raw);
}

// Only here a HostFile closes, so its descriptor cannot change between the two steps.
bool HostFilePool::TryClose(HostFile* file) {
  int fd = file->fd_.load(std::memory_order_relaxed);
  int32_t unused = 0;
  if (!file->users_.compare_exchange_strong(unused, HostFile::kClosed, std::memory_order_acq_rel)) {
    return false;
  }
  close(fd);
  open_[file->index_] = open_.back();
  open_[file->index_]->index_ = file->index_;
  open_.pop_back();
  return true;
}

void HostFilePool::CloseUnused(HostFile* file) {
  MutexLock lock(&mu_);
  TryClose(file);
}

size_t HostFilePool::size() {
  MutexLock lock(&mu_);
  return open_.size();
}

}  // namespace redoubt::gofer_fs
