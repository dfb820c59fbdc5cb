// SPDX-License-Identifier: Apache-2.0
//
// devpts: pseudo terminals (pts(4), ptmx(4)).
//
//   DevptsOptions options = TRY(ParseDevptsOptions("newinstance,ptmxmode=0666,mode=0620,gid=5"));
//   RefPtr<vfs::Mount> mount = NewDevptsMount(options, MS_NOSUID | MS_NOEXEC, "devpts");
// Its root has "ptmx" and one entry per open terminal, "0", "1" ...
// Opening ptmx (or /dev/ptmx, which boot makes a symlink to pts/ptmx) makes a new pair: the open
// file is the master; the slave appears as "N" and is locked until TIOCSPTLCK clears it (EIO).
// ioctl TIOCGPTPEER makes a descriptor, so the system-call layer serves it, with OpenPtyPeer.
#ifndef SENTRY_FS_DEVPTS_DEVPTS_H_
#define SENTRY_FS_DEVPTS_DEVPTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/ref_counted.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/mount.h"

namespace redoubt::fs {

class Pty;

struct DevptsOptions {
  uint32_t mode = 0620;  // Of slaves.
  uint32_t ptmx_mode = 0666;
  uint32_t uid = ~0U;  // ~0: the opener's.
  uint32_t gid = ~0U;
  uint32_t maximum = 4096;  // Terminals at once: open(ptmx) is ENOSPC beyond.
};
// The mount data of mount(2): "newinstance,ptmxmode=0666,mode=0620,gid=5,max=N". EINVAL for others.
Result<DevptsOptions> ParseDevptsOptions(std::string_view text);

class DevptsSuperblock : public vfs::Superblock {
 public:
  explicit DevptsSuperblock(const DevptsOptions& options);
  ~DevptsSuperblock() override;

  const DevptsOptions& options() const { return options_; }
  Result<vfs::FilesystemStatus> Status() override;
  std::string ShowOptions() const override;
  // Slaves come and go by themselves.
  bool NeedsRevalidation() const override { return true; }

  // A new pair with the lowest free number. The table holds the slave's inode until RemovePty.
  // ENOSPC when there are too many.
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

// The root directory of a new devpts; and the same, mounted (not yet attached anywhere).
RefPtr<vfs::Inode> NewDevptsRoot(const DevptsOptions& options);
RefPtr<vfs::Mount> NewDevptsMount(const DevptsOptions& options, unsigned long flags,
                                  std::string source);

// TIOCGPTPEER: opens the slave of the master `file`, with the flags of its argument. ENOTTY when
// `file` is no master.
Result<RefPtr<vfs::FileDescription>> OpenPtyPeer(vfs::FileDescription& file, uint32_t flags,
                                                 const vfs::Caller& caller);

}  // namespace redoubt::fs

#endif  // SENTRY_FS_DEVPTS_DEVPTS_H_
