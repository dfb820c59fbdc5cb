// SPDX-License-Identifier: Apache-2.0
//
// The permission rules of Linux's fs/namei.c and fs/attr.c, for the operations in this folder and
// for file systems that must apply one of them themselves.
#ifndef SENTRY_VFS_PERMISSION_H_
#define SENTRY_VFS_PERMISSION_H_

#include <cstdint>

#include "base/result.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/inode.h"

namespace redoubt::vfs {

inline constexpr uint32_t kMayExec = 1;
inline constexpr uint32_t kMayWrite = 2;
inline constexpr uint32_t kMayRead = 4;

// generic_permission() plus the inode's own CheckAccess; knows nothing of mounts. EACCES.
Result<void> CheckInodePermission(const Caller& caller, Inode& inode, uint32_t may);

// EROFS when the mount may not be written.
Result<void> CheckMountWritable(const Mount& mount);

// Whether entries may be added to `directory`: write and search permission.
Result<void> MayCreate(const Caller& caller, Inode& directory);
// Whether `victim` may be taken out of `directory`: the same and the sticky bit; EISDIR or ENOTDIR
// when its type is not what `want_directory` says.
Result<void> MayDelete(const Caller& caller, Inode& directory, Inode& victim, bool want_directory);

// inode_owner_or_capable(): the owner, or CAP_FOWNER.
bool IsOwnerOrCapable(const Caller& caller, const Attributes& attributes);

// What remains of `mode` after a write, truncation or change of owner by `caller`: set-id bits go
// unless the caller has CAP_FSETID. Equal to `mode` in the common case.
uint32_t ModeAfterWrite(const Caller& caller, const Attributes& attributes);

// Owner, group and set-group-id of a new file in a directory with `directory`'s attributes; applies
// the umask to `request.mode`.
void ApplyCreationRules(const Caller& caller, const Attributes& directory, CreateRequest& request);

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_PERMISSION_H_
