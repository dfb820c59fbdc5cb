// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/process_status.h"

namespace redoubt::proc {

Result<std::string> Comm(const Subject& subject) { return subject.task->name() + "\n"; }

}  // namespace redoubt::proc
