// SPDX-License-Identifier: Apache-2.0
//
// The dirfd rules of the *at() calls: an absolute path ignores the descriptor, AT_FDCWD is the
// working directory, and AT_EMPTY_PATH lets an empty path mean the descriptor itself.
//
//   vfs::Caller caller = task.MakeCaller();
//   vfs::Path place = TRY(LookupAt(task, caller, dirfd, path, AT_SYMLINK_NOFOLLOW));
#ifndef SENTRY_SYSCALLS_PATH_LOOKUP_H_
#define SENTRY_SYSCALLS_PATH_LOOKUP_H_

#include <string_view>

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/path.h"

namespace redoubt::syscalls {

// Where the walk of `path` starts. EBADF; ENOTDIR for a descriptor that is no directory.
Result<vfs::Path> StartOf(kernel::Task& task, const vfs::Caller& caller, int dirfd,
                          std::string_view path);

// `flags`: AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH count, others are ignored.
Result<vfs::Path> LookupAt(kernel::Task& task, const vfs::Caller& caller, int dirfd,
                           std::string_view path, int flags);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_PATH_LOOKUP_H_
