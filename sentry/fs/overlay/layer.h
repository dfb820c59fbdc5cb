// SPDX-License-Identifier: Apache-2.0
//
// What the overlay keeps in its layers: whiteouts, opaque marks, the origin of a copy, and the
// numbers made of a layer's.
#ifndef SENTRY_FS_OVERLAY_LAYER_H_
#define SENTRY_FS_OVERLAY_LAYER_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ref_counted.h"
#include "base/result.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/inode.h"

namespace redoubt::overlay {

// One file as a lower layer has it; `layer` counts from 1, the topmost.
struct LowerInode {
  RefPtr<vfs::Inode> inode;
  unsigned layer = 1;
};

// What the layers have under one name: an upper inode, lower ones, or both. Only directories have
// more than one lower inode.
struct Stack {
  RefPtr<vfs::Inode> upper;
  std::vector<LowerInode> lowers;
  bool empty() const { return !upper && lowers.empty(); }
  vfs::Inode& top() const { return upper ? *upper : *lowers.front().inode; }
};

// Extended attributes of ours, which guests neither see nor set.
inline bool IsOwnXattr(std::string_view name) { return name.starts_with("trusted.overlay."); }

bool IsWhiteout(vfs::Inode& inode);
bool IsOpaque(vfs::Inode& directory);
Result<void> MarkOpaque(vfs::Inode& directory);
Result<void> MakeWhiteout(vfs::Inode& upper_directory, std::string_view name);
// Takes a whiteout away; gives whether there was one.
Result<bool> RemoveWhiteout(vfs::Inode& upper_directory, std::string_view name);

// The overlay's number for number `number` of `layer` (0: the upper one).
uint64_t EncodeNumber(unsigned layer, uint64_t number);
// The number that a file shows for life: its origin's, once it was copied up.
Result<uint64_t> NumberOf(const Stack& stack);
std::optional<uint64_t> Origin(vfs::Inode& upper);
Result<void> SetOrigin(vfs::Inode& upper, uint64_t number);

// Owner, mode, times and extended attributes.
Result<void> CopyMetadata(vfs::Inode& from, vfs::Inode& to);
// The first `limit` bytes of a regular file; `to` is empty. Holes stay holes.
Result<void> CopyData(const RefPtr<vfs::Inode>& from, const RefPtr<vfs::Inode>& to, uint64_t limit);

// The overlay itself, as a caller of its layers.
const vfs::Caller& SelfCaller();
// A path by which a layer's inode can be opened: a dentry outside any tree.
vfs::Path PathOf(const RefPtr<vfs::Inode>& inode, const RefPtr<vfs::Mount>& mount);

}  // namespace redoubt::overlay

#endif  // SENTRY_FS_OVERLAY_LAYER_H_
