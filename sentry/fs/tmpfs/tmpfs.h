// SPDX-License-Identifier: Apache-2.0
//
// tmpfs: a file system in memory (tmpfs(5)); also the upper layer of overlays and where memfds
// live.
//
//   tmpfs::Options options = TRY(tmpfs::ParseOptions("size=64m,mode=1777"));
//   RefPtr<vfs::Mount> mount = tmpfs::NewMount(options, MS_NOSUID | MS_NODEV, "tmpfs");
#ifndef SENTRY_FS_TMPFS_TMPFS_H_
#define SENTRY_FS_TMPFS_TMPFS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ref_counted.h"
#include "base/result.h"
#include "sentry/fs/tmpfs/budget.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/mount.h"

namespace redoubt::tmpfs {

struct Options {
  // Bytes and files. Unset: as Linux, half of the machine's memory, and a file for each of its
  // pages (but at most a million, since inodes are the sentry's memory).
  std::optional<uint64_t> size = {};
  std::optional<uint64_t> inodes = {};
  uint32_t mode = 01777;  // Of the root.
  uint32_t uid = 0;
  uint32_t gid = 0;
  bool operator==(const Options&) const = default;
};

// mount(2)'s data: size= (k, m, g, %), nr_blocks=, nr_inodes=, mode=, uid=, gid=. Options that
// Linux knows and that change nothing here (huge=, mpol=, inode64 ...) are accepted. EINVAL.
Result<Options> ParseOptions(std::string_view text);

class TmpfsSuperblock : public vfs::Superblock {
 public:
  explicit TmpfsSuperblock(const Options& options);

  Result<vfs::FilesystemStatus> Status() override;
  std::string ShowOptions() const override;

  uint64_t NextInodeNumber() { return next_inode_.fetch_add(1, std::memory_order_relaxed); }
  Budget& pages() { return pages_; }
  Budget& inodes() { return inodes_; }

 private:
  const Options options_;
  Budget pages_;
  Budget inodes_;
  std::atomic<uint64_t> next_inode_{1};
};

// The root directory of a new tmpfs; its superblock() is the new one.
RefPtr<vfs::Inode> NewRoot(const Options& options);
// The same, mounted (not yet attached anywhere).
RefPtr<vfs::Mount> NewMount(const Options& options, unsigned long flags, std::string source);

}  // namespace redoubt::tmpfs

#endif  // SENTRY_FS_TMPFS_TMPFS_H_
