// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/exec.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <utility>

#include "base/log.h"
#include "sentry/kernel/exec_credentials.h"
#include "sentry/kernel/exit.h"
#include "sentry/kernel/interval_timers.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/robust_list.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/kernel/task_access.h"
#include "sentry/loader/loader.h"
#include "sentry/mm/host_limit.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::kernel {

namespace {

using Access = TaskAccess;

Result<RefPtr<vfs::FileDescription>> CheckExecutable(const vfs::Caller& caller,
                                                     const vfs::Path& path) {
  if (!path.dentry->inode()->IsRegular()) return Errno(EACCES);
  if ((path.mount->flags() & MS_NOEXEC) != 0) return Errno(EACCES);
  constexpr uint32_t kMayExecute = 1;
  TRY(vfs::CheckPermission(caller, path, kMayExecute));
  // The kernel reads the file whatever its read bits say.
  RefPtr<vfs::FileDescription> file = TRY(path.dentry->inode()->Open(path, O_RDONLY, caller));
  file->TellWatches();
  vfs::NotifyFile(*file, IN_OPEN);
  vfs::NotifyFile(*file, vfs::kOpenedForExec);
  return file;
}

// Ends all other tasks of the process and makes this one its leader.
Result<void> LeaveSiblings(Task& task) {
  TaskSet& tasks = task.kernel().tasks();
  ThreadGroup& group = *task.group();
  {
    MutexLock lock(&tasks.mu_);
    if (group.exiting || Access::MustExitLocked(task)) return Errno(ERESTARTNOINTR);
    group.execing = &task;
    for (const RefPtr<Task>& sibling : group.tasks) {
      if (sibling == &task) continue;
      Access::MustExitLocked(*sibling) = true;
      Access::InterruptLocked(*sibling);
    }
  }
  Task::Waiter waiter(task);
  group.group_events.Add(&waiter, EPOLLIN);
  Result<void> result;
  while (result.ok()) {
    task.PrepareToSleep();
    {
      MutexLock lock(&tasks.mu_);
      if (group.tasks.size() == 1) break;
    }
    result = task.SleepKillable();
  }
  group.group_events.Remove(&waiter);
  MutexLock lock(&tasks.mu_);
  group.execing = nullptr;
  if (!result.ok()) return Errno(ERESTARTNOINTR);
  if (group.leader != &task) {
    tasks.RenumberLocked(task.tid(), group.tgid());
    Access::SetTidLocked(task, group.tgid());
    group.leader = RefPtr<Task>(&task);
  }
  return {};
}

// Says goodbye to the old memory while it is still there.
void LeaveOldMemory(Task& task) {
  ReleaseRobustList(task);
  RefPtr<mm::MemoryMap> memory = task.memory();
  bool shared = memory->ref_count() > 2;  // Ours and the task's.
  if (shared) ClearChildTid(task);
  task.clear_child_tid = 0;
  if (!shared) task.group()->AddPastUsage(*memory);
}

void ResetForNewImage(Task& task, const std::string& name) {
  ThreadGroup& group = *task.group();
  group.timers().DeletePosixTimers();
  {
    // Before descriptors close, by which others may learn of this exec.
    MutexLock lock(&task.kernel().tasks().mu_);
    group.has_execed = true;
  }
  RefPtr<FdTable> table = task.fd_table();
  if (table->IsShared()) {
    task.SetFdTable(table->Fork());
    table->DropUser(task.tgid());
  }
  task.fd_table()->CloseForExec(task.tgid());
  task.signal_stack() = abi::SignalStack{};
  size_t slash = name.rfind('/');
  task.SetName(slash == std::string::npos ? name : name.substr(slash + 1));
  group.dumpable = true;
  {
    MutexLock lock(&task.kernel().tasks().mu_);
    if (group.handlers->ref_count() > 1) group.handlers = group.handlers->Copy();
    group.handlers->ResetForExec();
    group.exit_signal = SIGCHLD;
  }
  SignalVforkDone(task);
}

loader::LoadRequest MakeLoadRequest(Task& task, const ExecCredentials& credentials,
                                    const std::vector<std::string>& environment) {
  loader::LoadRequest request;
  request.environment = &environment;
  request.uid = credentials.credentials->uid, request.euid = credentials.credentials->euid;
  request.gid = credentials.credentials->gid, request.egid = credentials.credentials->egid;
  request.secure = credentials.secure;
  request.stack_limit = task.group()->limit(RLIMIT_STACK).current;
  request.random = [&kernel = task.kernel()] { return kernel.Random(); };
  return request;
}

// After the point of no return: only success or death.
Result<void> ReplaceImage(Task& task, RefPtr<platform::AddressSpace> space,
                          const loader::Program& program, const ExecCredentials& credentials,
                          const std::string& name, const std::vector<std::string>& environment) {
  LeaveOldMemory(task);
  TRY(task.context().EnterAddressSpace(space));
  auto memory = MakeRef<mm::MemoryMap>(task.kernel().memory_policy(), std::move(space));
  task.SetMemory(memory);
  ResetForNewImage(task, name);
  task.SetCredentials(credentials.credentials);
  if (credentials.secure) task.parent_death_signal = 0;
  memory->SetExecutable(program.file);
  for (int resource : {RLIMIT_AS, RLIMIT_MEMLOCK}) {
    uint64_t limit = task.group()->limit(resource).current;
    if (limit != kUnlimited) mm::PassLimitToHost(*memory, resource, limit);
  }
  return loader::Load(task.context(), *memory, program,
                      MakeLoadRequest(task, credentials, environment));
}

}  // namespace

Result<RefPtr<vfs::FileDescription>> OpenExecutable(const vfs::Caller& caller,
                                                    const vfs::Path& start, std::string_view path,
                                                    int flags) {
  if (path.empty() && (flags & AT_EMPTY_PATH) != 0) return CheckExecutable(caller, start);
  vfs::WalkOptions options;
  options.follow_final = (flags & AT_SYMLINK_NOFOLLOW) == 0;
  vfs::Path found = TRY(vfs::Walk(caller, start, path, options));
  if (found.dentry->inode()->IsSymlink()) return Errno(ELOOP);
  return CheckExecutable(caller, found);
}

Result<loader::Program> PrepareProgram(Task& task, ExecRequest& request) {
  vfs::Caller caller = task.MakeCaller();
  auto open = [&](const std::string& path) {
    return OpenExecutable(caller, caller.working_directory, path, 0);
  };
  TRY(loader::CheckArgumentSize(request.arguments, request.environment,
                                task.group()->limit(RLIMIT_STACK).current));
  loader::Program program =
      TRY(loader::Prepare(request.file, request.name, std::move(request.arguments), open));
  // A script's interpreter is given a path that close-on-exec has taken away.
  if (request.close_on_exec_fd && program.file != request.file) return Errno(ENOENT);
  return program;
}

SyscallResult Exec(Task& task, ExecRequest request) {
  loader::Program program = TRY(PrepareProgram(task, request));
  ExecCredentials credentials = TRY(CredentialsForExec(task, *program.file));
  RefPtr<platform::AddressSpace> space = TRY(task.kernel().platform().NewAddressSpace());
  TRY(LeaveSiblings(task));
  Result<void> replaced =
      ReplaceImage(task, std::move(space), program, credentials, request.name, request.environment);
  if (!replaced.ok()) {
    VLOG("exec of %s failed after the point of no return: errno %d", request.name.c_str(),
         replaced.error().value());
    ExitGroup(*task.group(), SignaledStatus(SIGKILL, false));
  }
  return 0UL;
}

}  // namespace redoubt::kernel
