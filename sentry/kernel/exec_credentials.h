// SPDX-License-Identifier: Apache-2.0
//
// How execve(2) changes credentials: set-id bits, and the capability rules of capabilities(7).
#ifndef SENTRY_KERNEL_EXEC_CREDENTIALS_H_
#define SENTRY_KERNEL_EXEC_CREDENTIALS_H_

#include "base/ref_counted.h"
#include "base/result.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"

namespace redoubt::kernel {

struct ExecCredentials {
  RefPtr<Credentials> credentials;
  bool secure = false;  // AT_SECURE: the program gained something its caller may not have.
};

// `file` is the executable, or the script that named it: only the ELF file's own bits count.
Result<ExecCredentials> CredentialsForExec(Task& task, vfs::FileDescription& file);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_EXEC_CREDENTIALS_H_
