// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/kernel.h"

#include <sys/ioctl.h>
#include <sys/random.h>

#include <utility>

#include "base/log.h"
#include "sentry/kernel/exec.h"
#include "sentry/kernel/interval_timers.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/kernel/task_access.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::kernel {

namespace {

mm::MemoryPolicy MakePolicy(const platform::Platform& platform, const mm::HostProc* host_proc) {
  mm::MemoryPolicy policy;
  policy.guest_range = platform.guest_range();
  policy.shim_ranges = platform.shim_ranges();
  policy.vdso_address = platform.vdso_address();
  policy.host_proc = host_proc;
  return policy;
}

}  // namespace

Kernel::Kernel(KernelConfig config)
    : platform_(std::move(config.platform)),
      dispatcher_(std::move(config.dispatcher)),
      mounts_(std::move(config.mounts)),
      host_proc_(std::move(config.procfs)),
      memory_policy_(MakePolicy(*platform_, &host_proc_)),
      tasks_(config.max_tasks),
      timers_(std::move(config.timers)),
      cpu_count_(config.cpu_count),
      answers_locally_(config.answers_locally),
      memory_bytes_(config.memory_bytes),
      boot_time_ns_(time::Now(time::Clock::kMonotonic)),
      hostname_(std::move(config.hostname)) {}

Kernel::~Kernel() = default;

uint64_t Kernel::Random() {
  uint64_t value = 0;
  // getrandom(2) of eight bytes neither fails nor stops short once the host has booted.
  CHECK(getrandom(&value, sizeof(value), 0) == sizeof(value));
  return value;
}

std::string Kernel::hostname() const {
  MutexLock lock(&names_mu_);
  return hostname_;
}

void Kernel::SetHostname(std::string name) {
  MutexLock lock(&names_mu_);
  hostname_ = std::move(name);
}

std::string Kernel::domainname() const {
  MutexLock lock(&names_mu_);
  return domainname_;
}

void Kernel::SetDomainname(std::string name) {
  MutexLock lock(&names_mu_);
  domainname_ = std::move(name);
}

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

}  // namespace

Result<RefPtr<ThreadGroup>> Kernel::StartFirstProcess(InitialProcess process) {
  vfs::Path root = mounts_->TopmostAt(mounts_->RootPath());
  TaskParts parts;
  parts.kernel = this;
  parts.credentials = process.credentials;
  parts.fd_table = process.fd_table;
  parts.fs = MakeRef<FsContext>(root, root, process.umask);
  parts.tid = 1;
  auto group = MakeRef<ThreadGroup>(this, 1, MakeRef<SignalHandlers>(), process.limits);
  parts.group = group;
  auto task = MakeRef<Task>(std::move(parts));
  vfs::Caller caller = task->MakeCaller();
  vfs::WalkOptions directory;
  directory.must_be_directory = true;
  task->fs()->SetWorkingDirectory(
      TRY(vfs::Walk(caller, root, process.working_directory, directory)));
  caller = task->MakeCaller();

  ExecRequest request;
  request.file = TRY(FindProgram(caller, process, &request.name));
  request.arguments = std::move(process.arguments);
  request.environment = std::move(process.environment);
  loader::Program program = TRY(PrepareProgram(*task, request));

  RefPtr<platform::AddressSpace> space = TRY(platform_->NewAddressSpace());
  auto memory = MakeRef<mm::MemoryMap>(memory_policy_, space);
  std::unique_ptr<platform::Context> context = TRY(platform_->NewContext(std::move(space)));
  task->SetContext(context.get());
  task->SetMemory(memory);
  task->SetName(request.name.substr(request.name.rfind('/') + 1));
  memory->SetExecutable(program.file);
  loader::LoadRequest load;
  load.environment = &request.environment;
  load.uid = process.credentials->uid, load.euid = process.credentials->euid;
  load.gid = process.credentials->gid, load.egid = process.credentials->egid;
  load.stack_limit = process.limits[RLIMIT_STACK].current;
  load.random = [this] { return Random(); };
  TRY(loader::Load(*context, *memory, program, load));

  {
    MutexLock lock(&tasks_.mu_);
    CHECK(TRY(tasks_.AllocateTidLocked()) == 1);
    group->leader = task;
    group->tasks.push_back(task);
    group->process_group = MakeRef<ProcessGroup>(1, MakeRef<Session>(1));
    group->has_execed = true;
    tasks_.AddLocked(task);
    tasks_.AddRunningLocked();
    TaskAccess::StartedLocked(*task) = true;
    first_process_ = group;
  }
  if (process.terminal) {
    caller = task->MakeCaller();
    TRY(process.terminal->Ioctl(
        {.command = TIOCSCTTY, .argument = 0, .memory = *task, .caller = caller}));
  }
  task->Ref();  // The platform's, until OnExited.
  platform_->Start(std::move(context), *task);
  return group;
}

int Kernel::WaitForFirstProcess() {
  {
    absl::MutexLock lock(&end_mu_);
    end_mu_.Await(absl::Condition(&ended_));
  }
  MutexLock lock(&tasks_.mu_);
  return first_process_->exit_status;
}

void Kernel::OnAllTasksGone() {
  absl::MutexLock lock(&end_mu_);
  ended_ = true;
}

void Kernel::SendExternalSignal(int signal, bool to_group) {
  if (to_group) {
    int foreground;
    {
      MutexLock lock(&tasks_.mu_);
      foreground = first_process_->process_group->session->foreground_group;
    }
    if (foreground != 0 && SendSignalToProcessGroup(*this, foreground, KernelSignal(signal)).ok()) {
      return;
    }
  }
  (void)SendSignal(*first_process_, UserSignal(signal, 0, 0));
}

}  // namespace redoubt::kernel
