// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/{stat,statm,status,comm}: what ps(1) and top(1) read (fs/proc/array.c).
#ifndef SENTRY_FS_PROC_PROCESS_STATUS_H_
#define SENTRY_FS_PROC_PROCESS_STATUS_H_

#include <string>
#include <string_view>

#include "sentry/fs/proc/subject.h"

namespace redoubt::proc {

Result<std::string> Comm(const Subject& subject);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_PROCESS_STATUS_H_
