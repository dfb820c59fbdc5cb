// SPDX-License-Identifier: Apache-2.0
//
// Path: a place in the tree of mounts (Linux's struct path): a mount and a dentry in it.
#ifndef SENTRY_VFS_PATH_H_
#define SENTRY_VFS_PATH_H_

#include "base/ref_counted.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"

namespace redoubt::vfs {

struct Path {
  RefPtr<Mount> mount;
  RefPtr<Dentry> dentry;

  bool valid() const { return static_cast<bool>(dentry); }
  friend bool operator==(const Path&, const Path&) = default;
};

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_PATH_H_
