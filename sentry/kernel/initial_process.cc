// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/initial_process.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

#include "sentry/kernel/exec.h"
#include "sentry/kernel/exec_credentials.h"
#include "sentry/kernel/interval_timers.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/kernel/task_access.h"
#include "sentry/kernel/task_seccomp.h"
#include "sentry/mm/host_limit.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::kernel {

namespace {

// execvp(3): a name without a slash is searched along PATH. EACCES wins over ENOENT.
Result<RefPtr<vfs::FileDescription>> FindProgram(const vfs::Caller& caller,
                                                 const InitialProcess& process, std::string* name) {
  *name = process.file;
  if (process.file.find('/') != std::string::npos) {
    return OpenExecutable(caller, caller.working_directory, process.file, 0);
  }
  if (process.file.empty()) return Errno(ENOENT);
  std::string search = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string& variable : process.environment) {
    if (variable.starts_with("PATH=")) search = variable.substr(5);
  }
  int error = ENOENT;
  for (size_t start = 0; start <= search.size();) {
    size_t end = std::min(search.find(':', start), search.size());
    std::string directory = search.substr(start, end - start);
    start = end + 1;
    *name = (directory.empty() ? "." : directory) + "/" + process.file;
    auto file = OpenExecutable(caller, caller.working_directory, *name, 0);
    if (file.ok()) return file;
    if (file.Is(EACCES)) error = EACCES;
  }
  return Errno(error);
}

Result<vfs::Path> FindDirectory(const vfs::Caller& caller, const std::string& path) {
  vfs::WalkOptions directory;
  directory.must_be_directory = true;
  return vfs::Walk(caller, caller.root, path, directory);
}

// A task of a process that is not in the task set yet, so that it can be prepared without a trace.
Result<RefPtr<Task>> MakeTask(Kernel& kernel, const InitialProcess& process, int tid) {
  vfs::Path root = kernel.mounts()->TopmostAt(kernel.mounts()->RootPath());
  TaskParts parts;
  parts.kernel = &kernel;
  parts.credentials = process.credentials;
  parts.fd_table = process.fd_table;
  parts.fs = MakeRef<FsContext>(kernel.mounts(), root, root, process.umask);
  parts.tid = tid;
  auto group = MakeRef<ThreadGroup>(&kernel, tid, MakeRef<SignalHandlers>(), process.limits);
  group->oom_score_adjustment = process.oom_score_adjustment;
  group->unkillable = process.unkillable;
  parts.group = group;
  auto task = MakeRef<Task>(std::move(parts));
  task->no_new_privileges = process.no_new_privileges;
  vfs::Caller caller = task->MakeCaller();
  task->fs()->SetWorkingDirectory(TRY(FindDirectory(caller, process.working_directory)));
  return task;
}

// execve's rules for credentials, and the program in a fresh address space.
Result<std::unique_ptr<platform::Context>> LoadProgram(Task& task, InitialProcess& process) {
  Kernel& kernel = task.kernel();
  ExecRequest request;
  request.file = TRY(FindProgram(task.MakeCaller(), process, &request.name));
  request.arguments = std::move(process.arguments);
  request.environment = std::move(process.environment);
  loader::Program program = TRY(PrepareProgram(task, request));
  ExecCredentials credentials = TRY(CredentialsForExec(task, *program.file));
  task.SetCredentials(credentials.credentials);

  RefPtr<platform::AddressSpace> space = TRY(kernel.platform().NewAddressSpace());
  auto memory = MakeRef<mm::MemoryMap>(kernel.memory_policy(), space);
  std::unique_ptr<platform::Context> context = TRY(kernel.platform().NewContext(std::move(space)));
  task.SetContext(context.get());
  task.SetMemory(memory);
  task.SetName(request.name.substr(request.name.rfind('/') + 1));
  memory->SetExecutable(program.file);
  for (int resource : {RLIMIT_AS, RLIMIT_MEMLOCK}) {
    uint64_t limit = process.limits[static_cast<size_t>(resource)].current;
    if (limit != kUnlimited) mm::PassLimitToHost(*memory, resource, limit);
  }
  loader::LoadRequest load;
  load.environment = &request.environment;
  load.uid = credentials.credentials->uid, load.euid = credentials.credentials->euid;
  load.gid = credentials.credentials->gid, load.egid = credentials.credentials->egid;
  load.secure = credentials.secure;
  load.stack_limit = process.limits[RLIMIT_STACK].current;
  load.random = [&kernel] { return kernel.Random(); };
  TRY(loader::Load(*context, *memory, program, load));
  return context;
}

// Process 1 is the container's init, whoever ran before it.
Result<int> ReserveTid(Kernel& kernel, bool is_init) {
  TaskSet& tasks = kernel.tasks();
  MutexLock lock(&tasks.mu_);
  int tid = TRY(tasks.AllocateTidLocked());
  if (is_init) return 1;
  return tid == 1 ? tasks.AllocateTidLocked() : tid;
}

// ESRCH: there is nobody left to be a container for it.
Result<void> Enter(Kernel& kernel, const RefPtr<Task>& task, std::function<void(int)> on_exit) {
  TaskSet& tasks = kernel.tasks();
  const RefPtr<ThreadGroup>& group = task->group();
  MutexLock lock(&tasks.mu_);
  const ThreadGroup* first = kernel.first_process_locked();
  if (group->tgid() == 1) {
    kernel.SetFirstProcessLocked(group);
  } else if (first != nullptr && (first->zombie || first->exiting)) {
    return Errno(ESRCH);
  }
  group->leader = task;
  group->tasks.push_back(task);
  group->process_group = MakeRef<ProcessGroup>(group->tgid(), MakeRef<Session>(group->tgid()));
  group->has_execed = true;
  group->on_exit = std::move(on_exit);
  tasks.AddLocked(task);
  tasks.AddRunningLocked();
  TaskAccess::StartedLocked(*task) = true;
  return {};
}

Result<void> TakeTerminal(Task& task, vfs::FileDescription& terminal) {
  vfs::Caller caller = task.MakeCaller();
  TRY(terminal.Ioctl({.command = TIOCSCTTY, .argument = 0, .memory = task, .caller = caller}));
  return {};
}

}  // namespace

Result<void> CheckProgram(const vfs::Caller& caller, const InitialProcess& process,
                          bool* bad_directory) {
  vfs::Caller there = caller;
  Result<vfs::Path> directory = FindDirectory(caller, process.working_directory);
  *bad_directory = !directory.ok();
  if (!directory.ok()) return directory.error();
  there.working_directory = *std::move(directory);
  std::string name;
  TRY(FindProgram(there, process, &name));
  return {};
}

Result<RefPtr<ThreadGroup>> StartProcess(Kernel& kernel, InitialProcess process) {
  int tid = TRY(ReserveTid(kernel, process.is_init));
  RefPtr<Task> task = TRY(MakeTask(kernel, process, tid));
  std::unique_ptr<platform::Context> context = TRY(LoadProgram(*task, process));
  if (!process.seccomp.empty()) {
    auto program = TRY(seccomp::BpfProgram::Create(std::move(process.seccomp)));
    TRY(InstallFirstFilter(*task, std::move(program), process.seccomp_log));
  }
  TRY(Enter(kernel, task, std::move(process.on_exit)));
  // A terminal that another session has already is no reason not to run.
  if (process.terminal) (void)TakeTerminal(*task, *process.terminal);
  RefPtr<ThreadGroup> group = task->group();
  task->Ref();  // The platform's, until OnExited.
  kernel.platform().Start(std::move(context), *task);
  return group;
}

void SendExternalSignal(ThreadGroup& process, int signal, bool to_group) {
  Kernel& kernel = process.kernel();
  if (to_group) {
    int foreground;
    {
      MutexLock lock(&kernel.tasks().mu_);
      foreground = process.process_group->session->foreground_group;
    }
    if (foreground != 0 &&
        SendSignalToProcessGroup(kernel, foreground, KernelSignal(signal)).ok()) {
      return;
    }
  }
  (void)SendSignal(process, UserSignal(signal, 0, 0));
}

void SendExternalSignalToAll(Kernel& kernel, int signal) {
  for (const RefPtr<ThreadGroup>& process : kernel.tasks().Groups()) {
    (void)SendSignal(*process, UserSignal(signal, 0, 0));
  }
}

}  // namespace redoubt::kernel
