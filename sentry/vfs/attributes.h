// SPDX-License-Identifier: Apache-2.0
//
// What stat(2) tells about an inode, and what chmod/chown/utimensat/truncate change of it.
#ifndef SENTRY_VFS_ATTRIBUTES_H_
#define SENTRY_VFS_ATTRIBUTES_H_

#include <cstdint>
#include <optional>

namespace redoubt::vfs {

// Seconds and nanoseconds of the realtime clock.
struct FileTime {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  friend bool operator==(const FileTime&, const FileTime&) = default;
};
// The realtime clock now.
FileTime Now();

struct Attributes {
  uint64_t inode_number = 0;
  uint64_t device = 0;  // Linux's dev_t encoding of st_dev; filled in by the superblock's id.
  uint32_t mode = 0;    // Type and permission bits.
  uint32_t links = 1;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t special_device = 0;  // st_rdev.
  uint64_t size = 0;            // Bytes.
  uint64_t blocks = 0;          // 512-byte units.
  uint32_t block_size = 4096;
  FileTime access_time, modify_time, change_time, birth_time;
};

// Only what is set changes. Permission was checked and set-id rules were applied by the VFS.
struct AttributeChange {
  std::optional<uint32_t> mode;  // Permission bits (07777) only.
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
  std::optional<uint64_t> size;
  std::optional<FileTime> access_time;
  std::optional<FileTime> modify_time;
};

// statfs(2).
struct FilesystemStatus {
  uint64_t magic = 0;
  uint64_t block_size = 4096;
  uint64_t blocks = 0, blocks_free = 0, blocks_available = 0;
  uint64_t files = 0, files_free = 0;
  uint64_t name_length = 255;
};

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_ATTRIBUTES_H_
