// SPDX-License-Identifier: Apache-2.0
//
// Host descriptors that the gofer donated. Each inode has at most one for reading and one for
// writing, shared by all its open files; HostFilePool bounds how many there are in the sentry. One
// that is not in use may be closed at any time, and is donated again when it is needed:
//
//   HostFileUse use = TRY(inode.Use(Access::kRead));   // Open, and stays so while `use` lives.
//   pread(use.fd(), ...);
#ifndef SENTRY_FS_GOFER_HOST_FILE_H_
#define SENTRY_FS_GOFER_HOST_FILE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/owned_fd.h"
#include "base/result.h"
#include "base/sync/mutex.h"

namespace redoubt::gofer_fs {

enum class Access : uint8_t { kRead, kWrite };

// A place for one descriptor, part of an inode.
class HostFile {
 public:
  HostFile() = default;
  HostFile(const HostFile&) = delete;
  HostFile& operator=(const HostFile&) = delete;

  // Adds a user and gives the descriptor, or -1 when it is closed. Takes no lock: this is on the
  // path of every read and write.
  int Acquire() {
    int32_t users = users_.load(std::memory_order_relaxed);
    do {
      if (users < 0) return -1;
    } while (!users_.compare_exchange_weak(users, users + 1, std::memory_order_acquire,
                                           std::memory_order_relaxed));
    if (!recent_.load(std::memory_order_relaxed)) recent_.store(true, std::memory_order_relaxed);
    return fd_.load(std::memory_order_relaxed);
  }
  void Release() { users_.fetch_sub(1, std::memory_order_release); }

 private:
  friend class HostFilePool;
  static constexpr int32_t kClosed = -1;

  std::atomic<int32_t> users_{kClosed};
  std::atomic<int> fd_{-1};          // Changes only while users_ is kClosed.
  std::atomic<bool> recent_{false};  // Used since the pool's hand last passed by.
  size_t index_ = 0;                 // In the pool; guarded by its lock.
};

// Keeps a HostFile open.
class HostFileUse {
 public:
  HostFileUse() = default;
  // Takes over one Acquire() that gave `fd`.
  HostFileUse(HostFile* file, int fd) : file_(file), fd_(fd) {}
  HostFileUse(HostFileUse&& other) noexcept
      : file_(std::exchange(other.file_, nullptr)), fd_(other.fd_) {}
  HostFileUse& operator=(HostFileUse&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~HostFileUse() {
    if (file_ != nullptr) file_->Release();
  }
  int fd() const { return fd_; }
  bool valid() const { return file_ != nullptr; }

 private:
  HostFile* file_ = nullptr;
  int fd_ = -1;
};

// All open HostFiles of the sentry (of all gofers).
class HostFilePool {
 public:
  // `limit`: descriptors, 0: half of RLIMIT_NOFILE.
  explicit HostFilePool(size_t limit = 0);

  // Before a donation: closes one that is not in use if the limit is reached. ENFILE.
  Result<void> MakeRoom();
  // `file`, closed until now, is open with one user. Its inode's lock is held.
  HostFileUse Open(HostFile* file, OwnedFd fd);
  // Closes it unless it is in use.
  void CloseUnused(HostFile* file);

  size_t size();

 private:
  bool TryClose(HostFile* file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex<LockRank::kLeaf> mu_;
  const size_t limit_;
  std::vector<HostFile*> open_ ABSL_GUARDED_BY(mu_);
  size_t hand_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace redoubt::gofer_fs

#endif  // SENTRY_FS_GOFER_HOST_FILE_H_
