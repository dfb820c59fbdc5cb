// SPDX-License-Identifier: Apache-2.0
//
// What is in /proc beside processes: tables of lines
//
//   {"meminfo", 0444, &Meminfo},
//   {"sys/kernel/hostname", 0644, &Hostname, &SetHostname},
//
// A sysctl that never changes is a line of sysctl.cc's other table, with its text.
#ifndef SENTRY_FS_PROC_SYSTEM_FILES_H_
#define SENTRY_FS_PROC_SYSTEM_FILES_H_

#include <span>
#include <string>
#include <string_view>

#include "sentry/fs/text_tree/text_tree.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::proc {

struct SystemEntry {
  std::string_view path;
  uint32_t permissions = 0444;
  Result<std::string> (*read)(kernel::Kernel& kernel) = nullptr;
  Result<void> (*write)(kernel::Kernel& kernel, std::string_view text,
                        const vfs::Caller& caller) = nullptr;
};
void AddEntries(fs::TextTree& tree, kernel::Kernel& kernel, std::span<const SystemEntry> entries);

// Everything.
void AddSystemFiles(fs::TextTree& tree, kernel::Kernel& kernel);
// /proc/sys.
void AddSysctls(fs::TextTree& tree, kernel::Kernel& kernel);
// /proc/sys/net.
void AddNetworkSysctls(fs::TextTree& tree);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_SYSTEM_FILES_H_
