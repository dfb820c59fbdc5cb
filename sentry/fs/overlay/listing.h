// SPDX-License-Identifier: Apache-2.0
//
// Listing: the merged entries of a directory that exists in a lower layer. Every name keeps the
// offset it got first as long as the directory is cached, so that readers may go on while names
// come and go, and while the directory is copied up.
#ifndef SENTRY_FS_OVERLAY_LISTING_H_
#define SENTRY_FS_OVERLAY_LISTING_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/result.h"
#include "sentry/fs/overlay/layer.h"

namespace redoubt::overlay {

struct ListedEntry {
  std::string name;
  uint64_t number = 0;
  uint8_t type = 0;  // DT_*.
};

class Listing {
 public:
  bool built() const { return built_; }
  bool empty() const { return entries_.empty(); }
  // Reads the layers; what is gone goes, what stays keeps its offset.
  Result<void> Build(vfs::Inode* upper, const std::vector<LowerInode>& lowers);
  // Follows a change; no-ops before Build.
  void Add(std::string_view name, uint64_t number, uint8_t type);
  void Remove(std::string_view name);
  // As Inode::ReadDirectory.
  int64_t Read(int64_t offset, vfs::DirectorySink& sink) const;

 private:
  using Entries = std::map<int64_t, ListedEntry>;  // By offset; nodes never move.
  Entries entries_;
  absl::flat_hash_map<std::string_view, Entries::iterator> by_name_;
  int64_t next_offset_ = 3;
  bool built_ = false;
};

// Whether anything but whiteouts is in `upper`.
Result<bool> HasEntries(vfs::Inode& upper);
// Takes all whiteouts out of a directory that holds nothing else.
Result<void> ClearWhiteouts(vfs::Inode& upper);

}  // namespace redoubt::overlay

#endif  // SENTRY_FS_OVERLAY_LISTING_H_
