// SPDX-License-Identifier: Apache-2.0
//
// FdTable: descriptor numbers to open files; shared by CLONE_FILES tasks (Linux's files_struct).
#ifndef SENTRY_KERNEL_FD_TABLE_H_
#define SENTRY_KERNEL_FD_TABLE_H_

#include <cstdint>
#include <vector>

#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::kernel {

using FileRef = RefPtr<vfs::FileDescription>;

class FdTable : public RefCounted<FdTable> {
 public:
  FdTable() = default;
  // A table of its own with the same descriptors (fork).
  RefPtr<FdTable> Fork() const;

  // Tasks that use it (a reader of /proc/PID/fd holds a reference but is no user). It starts with
  // one; when the last one drops it, all descriptors are closed on behalf of process `tgid`.
  void AddUser() { users_.fetch_add(1, std::memory_order_relaxed); }
  void DropUser(int tgid);
  bool IsShared() const { return users_.load(std::memory_order_relaxed) > 1; }

  // EBADF when nothing is open there.
  Result<FileRef> Get(int fd) const;
  // As Get, but EBADF for an O_PATH descriptor too: for everything that reads or writes.
  Result<FileRef> GetForIo(int fd) const;

  // The lowest free number from `minimum` on, below `limit` (RLIMIT_NOFILE): EMFILE, or EINVAL when
  // `minimum` is not below it.
  Result<int> Install(FileRef file, bool close_on_exec, uint64_t limit, int minimum = 0);
  // Whether an Install() would find a number now: EMFILE.
  Result<void> CheckRoom(uint64_t limit) const;
  // dup2/dup3: closes what was at `fd`. EBADF when `fd` is not in [0, limit).
  Result<int> InstallAt(FileRef file, int fd, bool close_on_exec, uint64_t limit, int tgid);
  // close(2): takes it out and runs OnDescriptorClosed for process `tgid`.
  Result<void> Close(int fd, int tgid);
  // close_range(2).
  void CloseRange(unsigned first, unsigned last, int tgid);
  void SetCloseOnExecRange(unsigned first, unsigned last);

  Result<bool> GetCloseOnExec(int fd) const;
  Result<void> SetCloseOnExec(int fd, bool close_on_exec);

  // exec: closes what has close-on-exec set.
  void CloseForExec(int tgid);

  // Open numbers in ascending order, for /proc/PID/fd.
  std::vector<int> List() const;

 private:
  struct Slot {
    FileRef file;
    bool close_on_exec = false;
  };
  // The lowest free number from `fd` on.
  size_t FreeFromLocked(size_t fd) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  std::atomic<int> users_{1};
  mutable Mutex<LockRank::kFdTable> mu_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mu_);
  // No free slot below this.
  size_t first_free_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_FD_TABLE_H_
