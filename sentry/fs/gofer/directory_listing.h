// SPDX-License-Identifier: Apache-2.0
//
// DirectoryListing: a host directory's entries with offsets that stay valid. The host's own cookies
// are any 64-bit numbers, and small ones mean "." and ".." to the VFS, so entries are numbered
// here; a name keeps its number when the directory is read again.
#ifndef SENTRY_FS_GOFER_DIRECTORY_LISTING_H_
#define SENTRY_FS_GOFER_DIRECTORY_LISTING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sentry/vfs/inode.h"

namespace redoubt::gofer_fs {

class DirectoryListing {
 public:
  struct Entry {
    std::string name;
    uint64_t inode_number = 0;
    uint8_t type = 0;
    int64_t offset = 0;
  };

  // Takes the place of what was there; gives the entries their offsets.
  void Replace(std::vector<Entry> entries);
  // Emits entries after `offset`; gives where to go on.
  int64_t Emit(int64_t offset, vfs::DirectorySink& sink) const;

  size_t size() const { return entries_.size(); }
  // Whether it is what the directory holds now.
  bool current() const { return current_; }
  void set_outdated() { current_ = false; }

 private:
  std::vector<Entry> entries_;  // By offset.
  int64_t next_offset_ = 3;
  bool current_ = false;
};

}  // namespace redoubt::gofer_fs

#endif  // SENTRY_FS_GOFER_DIRECTORY_LISTING_H_
