// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/credentials_change.h"

#include "sentry/kernel/thread_group.h"

namespace redoubt::syscalls {

void CommitCredentials(Task& task, const kernel::Credentials& old,
                       RefPtr<kernel::Credentials> next) {
  bool other = old.euid != next->euid || old.egid != next->egid || old.fsuid != next->fsuid ||
               old.fsgid != next->fsgid || (next->permitted & ~old.permitted) != 0;
  if (other) {
    task.group()->dumpable = false;
    task.parent_death_signal = 0;
  }
  task.SetCredentials(std::move(next));
}

}  // namespace redoubt::syscalls
