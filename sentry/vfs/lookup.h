// SPDX-License-Identifier: Apache-2.0
//
// From a name to a dentry when the cache does not know: asks the file system, under the tree's
// exclusive lock, and fills the cache.
#ifndef SENTRY_VFS_LOOKUP_H_
#define SENTRY_VFS_LOOKUP_H_

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "sentry/vfs/dentry.h"

namespace redoubt::vfs {

inline constexpr size_t kMaxName = 255;

// The child `name` of `parent`, negative when there is none. `rest` is the text that follows in the
// path: its plain names are looked up in the same trip, so that a cold path costs one. Needs the
// tree's lock exclusively. ENOENT in a removed directory, ENAMETOOLONG.
Result<RefPtr<Dentry>> LookupLocked(Dentry& parent, std::string_view name,
                                    std::string_view rest = {});

// Whether `child`, cached under `parent`, can still be trusted. The cached names that follow in
// `rest` are checked in the same trip. Needs the tree's lock, shared at least.
bool IsFresh(Dentry& parent, Dentry& child, std::string_view rest);

// For a removal that checks the name itself (Superblock::ChecksNames()): what is cached, unchecked
// then, else as LookupLocked.
struct Victim {
  RefPtr<Dentry> dentry;
  bool unchecked = false;
};
Result<Victim> LookupVictimLocked(Dentry& parent, std::string_view name);

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_LOOKUP_H_
