// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/mounts and mountinfo: the mounts below a process's root (fs/proc_namespace.c).
#ifndef SENTRY_FS_PROC_PROCESS_MOUNTS_H_
#define SENTRY_FS_PROC_PROCESS_MOUNTS_H_

#include <string>

#include "sentry/fs/proc/subject.h"

namespace redoubt::proc {

Result<std::string> Mounts(const Subject& subject);
Result<std::string> Mountstats(const Subject& subject);
Result<std::string> Mountinfo(const Subject& subject);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_PROCESS_MOUNTS_H_
