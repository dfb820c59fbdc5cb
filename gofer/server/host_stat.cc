// SPDX-License-Identifier: Apache-2.0
#include "gofer/server/host_stat.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include "base/host/syscall.h"

namespace redoubt::gofer {
namespace {

constexpr unsigned kMask = STATX_BASIC_STATS | STATX_BTIME;
// Nothing is mounted on our behalf: an automount point is served as the directory it is.
constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;

Result<HostStat> StatWith(int directory, const char* name, int flags) {
  HostStat stat;
  TRY(host::Call([&] { return statx(directory, name, flags, kMask, &stat); }));
  if ((stat.stx_mask & STATX_BTIME) == 0) stat.stx_btime = {};
  return stat;
}

}  // namespace

Result<HostStat> StatFd(int fd) { return StatWith(fd, "", kFlags | AT_EMPTY_PATH); }

Result<HostStat> StatAt(int directory, const char* name) {
  return StatWith(directory, name, kFlags);
}

HostIdentity IdentityOf(const HostStat& stat) {
  return {.device = makedev(stat.stx_dev_major, stat.stx_dev_minor), .inode = stat.stx_ino};
}

void FillAttributes(const HostStat& stat, Attributes* attributes) {
  attributes->set_device(makedev(stat.stx_dev_major, stat.stx_dev_minor));
  attributes->set_inode(stat.stx_ino);
  attributes->set_mode(stat.stx_mode);
  attributes->set_links(stat.stx_nlink);
  attributes->set_uid(stat.stx_uid);
  attributes->set_gid(stat.stx_gid);
  attributes->set_special_device(makedev(stat.stx_rdev_major, stat.stx_rdev_minor));
  attributes->set_size(stat.stx_size);
  attributes->set_blocks(stat.stx_blocks);
  attributes->set_block_size(stat.stx_blksize);
  attributes->set_access_seconds(stat.stx_atime.tv_sec);
  attributes->set_access_nanoseconds(stat.stx_atime.tv_nsec);
  attributes->set_modify_seconds(stat.stx_mtime.tv_sec);
  attributes->set_modify_nanoseconds(stat.stx_mtime.tv_nsec);
  attributes->set_change_seconds(stat.stx_ctime.tv_sec);
  attributes->set_change_nanoseconds(stat.stx_ctime.tv_nsec);
  attributes->set_birth_seconds(stat.stx_btime.tv_sec);
  attributes->set_birth_nanoseconds(stat.stx_btime.tv_nsec);
}

Result<int> OpenComponent(int directory, const char* name) {
  unsigned fd =
      TRY(host::Call([&] { return openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC); }));
  return static_cast<int>(fd);
}

}  // namespace redoubt::gofer
