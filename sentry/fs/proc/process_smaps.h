// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/smaps, smaps_rollup, pagemap, map_files: what the host counts for the stub's mappings,
// under the guest's names.
#ifndef SENTRY_FS_PROC_PROCESS_SMAPS_H_
#define SENTRY_FS_PROC_PROCESS_SMAPS_H_

#include <string>

#include "sentry/fs/proc/subject.h"
#include "sentry/mm/memory_map.h"

namespace redoubt::proc {

// One line of maps, without its newline.
std::string MappingLine(const mm::Mapping& mapping);

Result<std::string> Smaps(const Subject& subject);
Result<std::string> SmapsRollup(const Subject& subject);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_PROCESS_SMAPS_H_
