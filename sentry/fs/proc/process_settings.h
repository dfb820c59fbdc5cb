// SPDX-License-Identifier: Apache-2.0
//
// Short files of /proc/PID: limits, OOM scores, id maps, and what proc(5) calls per-process
// settings.
#ifndef SENTRY_FS_PROC_PROCESS_SETTINGS_H_
#define SENTRY_FS_PROC_PROCESS_SETTINGS_H_

#include <string>
#include <string_view>

#include "sentry/fs/proc/subject.h"

namespace redoubt::proc {

Result<std::string> LimitsTable(const Subject& subject);
Result<std::string> OomScore(const Subject& subject);
Result<std::string> OomScoreAdj(const Subject& subject);
// EINVAL outside -1000..1000; EACCES for lowering it without CAP_SYS_RESOURCE.
Result<void> SetOomScoreAdj(const Subject& subject, std::string_view text,
                            const vfs::Caller& caller);
Result<std::string> OomAdj(const Subject& subject);
Result<void> SetOomAdj(const Subject& subject, std::string_view text, const vfs::Caller& caller);
Result<void> ClearRefs(const Subject& subject, std::string_view text, const vfs::Caller& caller);
Result<void> SetTimerSlack(const Subject& subject, std::string_view text,
                           const vfs::Caller& caller);
Result<std::string> TimerSlack(const Subject& subject);
// "NR args sp pc" of the call being served, without what only the task itself knows, or "running".
Result<std::string> CurrentSyscall(const Subject& subject);
// All ids are mapped to themselves: there is one user namespace.
Result<std::string> IdMap(const Subject& subject);

// A text that is the same for every process.
template <const char* kText>
Result<std::string> Always(const Subject&) {
  return std::string(kText);
}
// Writing is known to Linux, but refused with EPERM here, as there without the capability.
Result<void> RefuseWrite(const Subject& subject, std::string_view text, const vfs::Caller& caller);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_PROCESS_SETTINGS_H_
