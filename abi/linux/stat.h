// SPDX-License-Identifier: Apache-2.0
//
// What stat(2), statx(2) and statfs(2) fill in; amd64 layouts.
#ifndef ABI_LINUX_STAT_H_
#define ABI_LINUX_STAT_H_

#include <sys/stat.h>
#include <sys/statfs.h>

#include <cstddef>
#include <cstdint>

#include "abi/linux/time.h"

namespace redoubt::abi {

// struct stat.
struct Stat {
  uint64_t device = 0;
  uint64_t inode_number = 0;
  uint64_t links = 0;
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t padding = 0;
  uint64_t special_device = 0;
  int64_t size = 0;
  int64_t block_size = 0;
  int64_t blocks = 0;
  Timespec access_time;
  Timespec modify_time;
  Timespec change_time;
  int64_t unused[3] = {};
};
static_assert(sizeof(Stat) == sizeof(struct stat));
static_assert(offsetof(Stat, mode) == offsetof(struct stat, st_mode));
static_assert(offsetof(Stat, special_device) == offsetof(struct stat, st_rdev));
static_assert(offsetof(Stat, blocks) == offsetof(struct stat, st_blocks));
static_assert(offsetof(Stat, change_time) == offsetof(struct stat, st_ctim));

// struct statx_timestamp.
struct StatxTime {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  int32_t padding = 0;
};
static_assert(sizeof(StatxTime) == sizeof(statx_timestamp));

// struct statx.
struct Statx {
  uint32_t mask = 0;
  uint32_t block_size = 0;
  uint64_t attributes = 0;
  uint32_t links = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint16_t mode = 0;
  uint16_t padding = 0;
  uint64_t inode_number = 0;
  uint64_t size = 0;
  uint64_t blocks = 0;
  uint64_t attributes_mask = 0;
  StatxTime access_time;
  StatxTime birth_time;
  StatxTime change_time;
  StatxTime modify_time;
  uint32_t special_device_major = 0;
  uint32_t special_device_minor = 0;
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  uint64_t mount_id = 0;
  uint64_t unused[13] = {};
};
static_assert(sizeof(Statx) == sizeof(struct statx));
static_assert(offsetof(Statx, inode_number) == offsetof(struct statx, stx_ino));
static_assert(offsetof(Statx, birth_time) == offsetof(struct statx, stx_btime));
static_assert(offsetof(Statx, device_minor) == offsetof(struct statx, stx_dev_minor));

// struct statfs.
struct Statfs {
  uint64_t magic = 0;
  uint64_t block_size = 0;
  uint64_t blocks = 0, blocks_free = 0, blocks_available = 0;
  uint64_t files = 0, files_free = 0;
  uint64_t id = 0;
  uint64_t name_length = 0;
  uint64_t fragment_size = 0;
  uint64_t flags = 0;
  uint64_t spare[4] = {};
};
static_assert(sizeof(Statfs) == sizeof(struct statfs));
static_assert(offsetof(Statfs, name_length) == offsetof(struct statfs, f_namelen));
static_assert(offsetof(Statfs, flags) == offsetof(struct statfs, f_flags));

}  // namespace redoubt::abi

#endif  // ABI_LINUX_STAT_H_
