// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_pipe.h"

#include <fcntl.h>

#include "sentry/fs/pipe/pipe_file.h"
#include "sentry/syscalls/install_file.h"

namespace redoubt::syscalls {

SyscallResult InstallPair(Task& task, FileRef first, FileRef second, bool close_on_exec,
                          UserOut<DescriptorPair> user) {
  DescriptorPair numbers{};
  numbers[0] = TRY(InstallFile(task, std::move(first), close_on_exec));
  Result<int> other = InstallFile(task, std::move(second), close_on_exec);
  Result<void> told;
  if (other.ok()) {
    numbers[1] = *other;
    told = user.Write(task, numbers);
    if (told.ok()) return 0UL;
    (void)task.fd_table()->Close(numbers[1], task.tgid());
  }
  (void)task.fd_table()->Close(numbers[0], task.tgid());
  return other.ok() ? told.error() : other.error();
}

SyscallResult SysPipe(Task& task, UserOut<DescriptorPair> fds) { return SysPipe2(task, fds, {0}); }

SyscallResult SysPipe2(Task& task, UserOut<DescriptorPair> fds, OpenFlags flags) {
  RefPtr<kernel::Credentials> credentials = task.credentials();
  fs::PipeEnds ends = TRY(fs::CreatePipe(flags, credentials->fsuid, credentials->fsgid));
  return InstallPair(task, std::move(ends.read), std::move(ends.write), (flags & O_CLOEXEC) != 0,
                     fds);
}

}  // namespace redoubt::syscalls
