// SPDX-License-Identifier: Apache-2.0
//
// devpts: pseudo terminals (pts(4), ptmx(4)).
//
//   RefPtr<vfs::Superblock> pts = DevptsSuperblock::Create({.mode = 0620, .gid = 5});  // A mount.
//   root inode: pts->RootInode(): "ptmx" and one entry per open terminal, "0", "1" ...
// Opening ptmx (or /dev/ptmx, which boot makes a symlink to pts/ptmx) makes a new pair: the open
// file is the master; the slave appears as "N" and is locked until TIOCSPTLCK clears it (EIO).
// TIOCGPTPEER opens the slave without a path.
#ifndef SENTRY_FS_DEVPTS_DEVPTS_H_
#define SENTRY_FS_DEVPTS_DEVPTS_H_

#include <cstdint>
#include <map>
#include <string>

#include "base/ref_counted.h"
#include "sentry/vfs/inode.h"

namespace redoubt::fs {

class Pty;

struct DevptsOptions {
  uint32_t mode = 0620;     // Of slaves.
  uint32_t ptmx_mode = 0666;
  uint32_t uid = ~0U;       // ~0: the opener's.
  uint32_t gid = ~0U;
  uint32_t maximum = 4096;  // Terminals at once: open(ptmx) is ENOSPC beyond.
};
// The mount data of mount(2): "newinstance,ptmxmode=0666,mode=0620,gid=5,max=N". EINVAL for others.
Result<DevptsOptions> ParseDevptsOptions(std::string_view text);

class DevptsSuperblock : public vfs::Superblock {
 public:
  static RefPtr<DevptsSuperblock> Create(const DevptsOptions& options);
  explicit DevptsSuperblock(const DevptsOptions& options);
  ~DevptsSuperblock() override;

  RefPtr<vfs::Inode> RootInode();
  const DevptsOptions& options() const { return options_; }
  Result<vfs::FilesystemStatus> Status() override;
  std::string ShowOptions() const override;
  // Slaves come and go by themselves.
  bool NeedsRevalidation() const override { return true; }

  // A new pair, and its number. The table holds the slave's inode until RemovePty.
  Result<RefPtr<Pty>> AddPty(const vfs::Caller& caller);
  void RemovePty(int number);
  // Null: there is none.
  RefPtr<vfs::Inode> SlaveInode(int number);
  // The first slave numbered `from` or above; -1 at the end.
  int NextPty(int from);

 private:
  const DevptsOptions options_;
  Mutex<LockRank::kInode> mu_;
  std::map<int, RefPtr<vfs::Inode>> slaves_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::fs

#endif  // SENTRY_FS_DEVPTS_DEVPTS_H_
