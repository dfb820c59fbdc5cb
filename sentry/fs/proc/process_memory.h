// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/{cmdline,environ,auxv,maps}: what is read from a process's memory, or tells about it.
// Empty for a process that has none any more.
#ifndef SENTRY_FS_PROC_PROCESS_MEMORY_H_
#define SENTRY_FS_PROC_PROCESS_MEMORY_H_

#include <string>

#include "sentry/fs/proc/subject.h"

namespace redoubt::proc {

Result<std::string> Cmdline(const Subject& subject);
Result<std::string> Environ(const Subject& subject);
Result<std::string> Auxv(const Subject& subject);
Result<std::string> Maps(const Subject& subject);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_PROCESS_MEMORY_H_
