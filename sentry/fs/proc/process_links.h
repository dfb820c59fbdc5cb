// SPDX-License-Identifier: Apache-2.0
//
// The magic links /proc/PID/{exe,cwd,root}.
#ifndef SENTRY_FS_PROC_PROCESS_LINKS_H_
#define SENTRY_FS_PROC_PROCESS_LINKS_H_

#include "sentry/fs/proc/subject.h"
#include "sentry/vfs/path.h"

namespace redoubt::proc {

// ENOENT for a process that has ended.
Result<vfs::Path> Executable(const Subject& subject);
Result<vfs::Path> WorkingDirectory(const Subject& subject);
Result<vfs::Path> RootDirectory(const Subject& subject);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_PROCESS_LINKS_H_
