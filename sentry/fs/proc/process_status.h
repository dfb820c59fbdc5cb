// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/{stat,statm,comm,sched,schedstat}: what ps(1) and top(1) read (fs/proc/array.c). The
// long one, status, has a file of its own.
#ifndef SENTRY_FS_PROC_PROCESS_STATUS_H_
#define SENTRY_FS_PROC_PROCESS_STATUS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "sentry/fs/proc/subject.h"

namespace redoubt::proc {

Result<std::string> Stat(const Subject& subject);
Result<std::string> Statm(const Subject& subject);
Result<std::string> Status(const Subject& subject);
Result<std::string> Sched(const Subject& subject);
Result<std::string> Schedstat(const Subject& subject);
Result<std::string> Comm(const Subject& subject);
// Only threads of the same process may: EINVAL, as Linux has it.
Result<void> SetComm(const Subject& subject, std::string_view text, const vfs::Caller& caller);

// "0-3,7" for bits 0 to 3 and 7.
std::string FormatBitList(uint64_t bits);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_PROCESS_STATUS_H_
