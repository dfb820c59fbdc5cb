// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/gofer/directory_listing.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"

namespace redoubt::gofer_fs {

void DirectoryListing::Replace(std::vector<Entry> entries) {
  absl::flat_hash_map<std::string_view, int64_t> known;
  known.reserve(entries_.size());
  for (const Entry& entry : entries_) known.emplace(entry.name, entry.offset);
  for (Entry& entry : entries) {
    auto old = known.find(entry.name);
    entry.offset = old != known.end() ? old->second : next_offset_++;
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
  entries_ = std::move(entries);
  current_ = true;
}

int64_t DirectoryListing::Emit(int64_t offset, vfs::DirectorySink& sink) const {
  auto entry = std::upper_bound(entries_.begin(), entries_.end(), offset,
                                [](int64_t value, const Entry& e) { return value < e.offset; });
  for (; entry != entries_.end(); ++entry) {
    if (!sink.Add({.name = entry->name,
                   .inode_number = entry->inode_number,
                   .type = entry->type,
                   .next_offset = entry->offset})) {
      break;
    }
    offset = entry->offset;
  }
  return offset;
}

}  // namespace redoubt::gofer_fs
