// SPDX-License-Identifier: Apache-2.0
//
// What is in /proc beside processes.
#ifndef SENTRY_FS_PROC_SYSTEM_FILES_H_
#define SENTRY_FS_PROC_SYSTEM_FILES_H_

#include "sentry/fs/text_tree/text_tree.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::proc {

void AddSystemFiles(fs::TextTree& tree, kernel::Kernel& kernel);

}  // namespace redoubt::proc

#endif  // SENTRY_FS_PROC_SYSTEM_FILES_H_
