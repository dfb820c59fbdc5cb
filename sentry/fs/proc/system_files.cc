// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/system_files.h"

namespace redoubt::proc {

void AddSystemFiles(fs::TextTree& tree, kernel::Kernel& kernel) {
  tree.AddLink("mounts", "self/mounts");
  tree.AddLink("net", "self/net");
}

}  // namespace redoubt::proc
