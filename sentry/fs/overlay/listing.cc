// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/overlay/listing.h"

#include <dirent.h>

#include <utility>

#include "absl/container/flat_hash_set.h"

namespace redoubt::overlay {

namespace {

// Collects a piece of a directory; the layers are asked about the entries afterwards, since a sink
// runs under the directory's lock.
class Collector : public vfs::DirectorySink {
 public:
  bool Add(const vfs::DirectoryEntry& entry) override {
    if (entries.size() == kPiece) return false;
    entries.push_back(
        {.name = std::string(entry.name), .number = entry.inode_number, .type = entry.type});
    return true;
  }
  static constexpr size_t kPiece = 1024;
  std::vector<ListedEntry> entries;
};

// Calls `visit` for every entry of one layer's directory.
template <typename Visit>
Result<void> ForEach(vfs::Inode& directory, Visit visit) {
  int64_t offset = 0;
  while (true) {
    Collector piece;
    int64_t next = TRY(directory.ReadDirectory(offset, piece));
    for (ListedEntry& entry : piece.entries) TRY(visit(std::move(entry)));
    if (piece.entries.empty() || next == offset) return {};
    offset = next;
  }
}

Result<bool> EntryIsWhiteout(vfs::Inode& directory, const ListedEntry& entry) {
  if (entry.type != DT_CHR) return false;
  auto inode = directory.Lookup(entry.name);
  return inode.ok() && IsWhiteout(**inode);
}

// The number an entry of the upper layer shows: that of what it was copied from.
uint64_t UpperNumber(vfs::Inode& directory, const ListedEntry& entry) {
  auto inode = directory.Lookup(entry.name);
  if (inode.ok()) {
    if (auto origin = Origin(**inode)) return *origin;
  }
  return EncodeNumber(0, entry.number);
}

}  // namespace

Result<void> Listing::Build(vfs::Inode* upper, const std::vector<LowerInode>& lowers) {
  absl::flat_hash_set<std::string> hidden;
  std::vector<ListedEntry> found;
  absl::flat_hash_set<std::string> seen;
  // `number` gives what an entry of this layer shows.
  auto merge = [&](vfs::Inode& directory, auto number) -> Result<void> {
    return ForEach(directory, [&](ListedEntry entry) -> Result<void> {
      if (hidden.contains(entry.name) || seen.contains(entry.name)) return {};
      if (TRY(EntryIsWhiteout(directory, entry))) {
        hidden.insert(std::move(entry.name));
        return {};
      }
      entry.number = number(entry);
      seen.insert(entry.name);
      found.push_back(std::move(entry));
      return {};
    });
  };
  if (upper) {
    TRY(merge(*upper, [&](const ListedEntry& entry) { return UpperNumber(*upper, entry); }));
  }
  for (const LowerInode& lower : lowers) {
    TRY(merge(*lower.inode,
              [&](const ListedEntry& entry) { return EncodeNumber(lower.layer, entry.number); }));
  }
  for (auto it = entries_.begin(); it != entries_.end();) {
    auto next = std::next(it);
    if (!seen.contains(it->second.name)) Remove(std::string(it->second.name));
    it = next;
  }
  built_ = true;
  for (const ListedEntry& entry : found) Add(entry.name, entry.number, entry.type);
  return {};
}

void Listing::Add(std::string_view name, uint64_t number, uint8_t type) {
  if (!built_) return;
  auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    found->second->second.number = number;
    found->second->second.type = type;
    return;
  }
  ListedEntry entry{.name = std::string(name), .number = number, .type = type};
  auto at = entries_.emplace_hint(entries_.end(), next_offset_++, std::move(entry));
  by_name_.emplace(at->second.name, at);
}

void Listing::Remove(std::string_view name) {
  auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  auto at = found->second;
  by_name_.erase(found);
  entries_.erase(at);
}

int64_t Listing::Read(int64_t offset, vfs::DirectorySink& sink) const {
  for (auto it = entries_.lower_bound(offset); it != entries_.end(); ++it) {
    vfs::DirectoryEntry entry{.name = it->second.name,
                              .inode_number = it->second.number,
                              .type = it->second.type,
                              .next_offset = it->first + 1};
    if (!sink.Add(entry)) return it->first;
  }
  return next_offset_;
}

Result<bool> HasEntries(vfs::Inode& upper) {
  bool any = false;
  TRY(ForEach(upper, [&](const ListedEntry& entry) -> Result<void> {
    any = any || !TRY(EntryIsWhiteout(upper, entry));
    return {};
  }));
  return any;
}

Result<void> ClearWhiteouts(vfs::Inode& upper) {
  return ForEach(upper, [&](const ListedEntry& entry) -> Result<void> {
    TRY(RemoveWhiteout(upper, entry.name));
    return {};
  });
}

}  // namespace redoubt::overlay
