// SPDX-License-Identifier: Apache-2.0
//
// Processes that come from outside the sandbox: the container's init and what `runsc exec` adds.
// Each has a session of its own and no parent, as a process that entered a PID namespace has.
#ifndef SENTRY_KERNEL_INITIAL_PROCESS_H_
#define SENTRY_KERNEL_INITIAL_PROCESS_H_

#include <linux/filter.h>

#include <functional>
#include <string>
#include <vector>

#include "base/ref_counted.h"
#include "base/result.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/fd_table.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/thread_group.h"
#include "sentry/vfs/caller.h"

namespace redoubt::kernel {

class Kernel;

struct InitialProcess {
  bool is_init = false;     // The container's first process: number 1.
  bool unkillable = false;  // As init of a PID namespace: gets only signals that it handles.
  std::string file;         // Searched along PATH of `environment` unless it has a slash.
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  RefPtr<Credentials> credentials;  // As before its execve, which applies its rules to them.
  RefPtr<FdTable> fd_table;
  RefPtr<vfs::FileDescription> terminal;  // Controls its session; may be null.
  std::string working_directory = "/";
  Limits limits = DefaultLimits();
  uint32_t umask = 022;
  bool no_new_privileges = false;
  int oom_score_adjustment = 0;
  std::vector<sock_filter> seccomp;  // Its filter, from its first instruction on; may be empty.
  bool seccomp_log = false;
  std::function<void(int)> on_exit;  // See ThreadGroup::on_exit; may be empty.
};

// Whether the program is there and may be run; the Errno is execve's. `caller` is who will run it.
// On a failure that is the working directory's, `*bad_directory` is set.
Result<void> CheckProgram(const vfs::Caller& caller, const InitialProcess& process,
                          bool* bad_directory);

// Starts it. The Errno is execve's: ENOENT, EACCES, ENOEXEC ...; ESRCH when process 1 has ended
// already.
Result<RefPtr<ThreadGroup>> StartProcess(Kernel& kernel, InitialProcess process);

// A signal from outside (runsc kill, a terminal) to a process or, with `to_group`, to the
// foreground process group of its terminal.
void SendExternalSignal(ThreadGroup& process, int signal, bool to_group);
// To every process of the sandbox.
void SendExternalSignalToAll(Kernel& kernel, int signal);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_INITIAL_PROCESS_H_
