// SPDX-License-Identifier: Apache-2.0
//
// execve(2): checks the file, ends the siblings, moves the task into a pristine address space,
// loads the image there.
#ifndef SENTRY_KERNEL_EXEC_H_
#define SENTRY_KERNEL_EXEC_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "sentry/kernel/task.h"
#include "sentry/loader/loader.h"

namespace redoubt::kernel {

struct ExecRequest {
  RefPtr<vfs::FileDescription> file;  // Opened with vfs::OpenPath, executable checked.
  std::string name;                   // As the caller gave it: AT_EXECFN, and scripts' argument.
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  bool close_on_exec_fd = false;  // The file came as a close-on-exec fd: scripts give ENOENT.
};

// Opens a file for execution: regular, executable, not on a noexec mount (EACCES).
Result<RefPtr<vfs::FileDescription>> OpenExecutable(const vfs::Caller& caller,
                                                    const vfs::Path& start, std::string_view path,
                                                    int flags);

// The first half of Exec: reads and checks the file and its interpreters (also used for the first
// process). Consumes request.arguments.
Result<loader::Program> PrepareProgram(Task& task, ExecRequest& request);

// On success the task's registers are those of the new program. An error before the point of no
// return leaves the task as it was; after it the task dies by SIGKILL or SIGSEGV.
SyscallResult Exec(Task& task, ExecRequest request);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_EXEC_H_
