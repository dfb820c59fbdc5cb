// SPDX-License-Identifier: Apache-2.0
//
// Installing changed credentials, as Linux's commit_creds().
#ifndef SENTRY_SYSCALLS_CREDENTIALS_CHANGE_H_
#define SENTRY_SYSCALLS_CREDENTIALS_CHANGE_H_

#include "sentry/kernel/credentials.h"
#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// Installs `next` in place of `old`. When who the task acts as has changed, nobody may look into
// the process any more (dumpable) and the parent-death signal is forgotten.
void CommitCredentials(Task& task, const kernel::Credentials& old,
                       RefPtr<kernel::Credentials> next);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_CREDENTIALS_CHANGE_H_
