// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/boot.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/internal/sysinfo.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "sentry/boot/confine.h"
#include "sentry/boot/control.h"
#include "sentry/boot/crash_log.h"
#include "sentry/boot/filesystems.h"
#include "sentry/boot/stdio.h"
#include "sentry/fs/dev/devices.h"
#include "sentry/fs/tmpfs/host_file.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/terminal_control.h"
#include "sentry/socket/unix/unix.h"
#include "sentry/syscalls/captures.h"
#include "sentry/syscalls/dispatcher.h"
#include "sentry/time/timer_queue.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::boot {

namespace {

void SendEvent(ControlSocket& control, const ControlEvent& event) {
  if (!control.Send(event).ok()) LOG(Debug, "the launcher is gone");
}

[[noreturn]] void FailStart(ControlSocket& control, std::string message, int error) {
  ControlEvent event;
  event.mutable_start_failed()->set_message(std::move(message));
  event.mutable_start_failed()->set_error(error);
  SendEvent(control, event);
  _exit(1);
}

// Serves the launcher until it goes; without a launcher there is no sandbox.
void ServeControl(ControlSocket& control, kernel::Kernel& kernel, Stdio& stdio) {
  while (true) {
    Result<ControlRequest> request = control.ReceiveRequest();
    if (!request.ok()) _exit(1);
    if (request->has_signal()) {
      int number = request->signal().number();
      if (number < 1 || number > abi::kSignalCount) continue;
      if (number == SIGWINCH && stdio.bridge() != nullptr) {
        stdio.bridge()->UpdateWindowSize();  // Its own SIGWINCH goes to who has the terminal.
        continue;
      }
      kernel.SendExternalSignal(number, request->signal().to_group());
    }
  }
}

unsigned CpuCount() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

uint64_t MemoryBytes() {
  struct sysinfo info;
  if (sysinfo(&info) != 0) return uint64_t{1} << 30;
  return uint64_t{info.totalram} * info.mem_unit;
}

// The guest's limits are the launcher's, where it has any say; descriptors are the sentry's own
// objects, but each may need one of the host's.
kernel::Limits InheritedLimits() {
  kernel::Limits limits = kernel::DefaultLimits();
  for (int resource :
       {RLIMIT_STACK, RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_CORE}) {
    rlimit host;
    if (getrlimit(static_cast<__rlimit_resource>(resource), &host) != 0) continue;
    limits[static_cast<size_t>(resource)] = {host.rlim_cur, host.rlim_max};
  }
  return limits;
}

// The sentry needs many descriptors, whatever soft limit it came with.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int g_procfs = -1;  // For ReopenReadOnly; lives as long as the process.

// A read-only descriptor of a memfd, through the sentry's own entry (it is process 1 there).
int ReopenReadOnly(int fd) {
  if (g_procfs < 0) return -1;
  return openat(g_procfs, absl::StrCat("1/fd/", fd).c_str(), O_RDONLY | O_CLOEXEC);
}

struct Prepared {
  std::unique_ptr<kernel::Kernel> kernel;
  std::unique_ptr<Stdio> stdio;
  kernel::InitialProcess process;
};

absl::StatusOr<Prepared> Prepare(SentryConfig& config, int control_fd) {
  kernel::Limits limits = InheritedLimits();
  RaiseDescriptorLimit();
  // Its order is a guest's to provoke (nested epolls); ours is checked by ranks in debug builds.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // What libraries would look up in files at first need must be known before files are gone: the
  // allocator's number of arenas, the spin count of locks.
  mallopt(M_ARENA_MAX, 1);  // A second arena reads /proc/sys/vm/overcommit_memory when it shrinks.
  (void)absl::base_internal::NumCPUs();
  (void)absl::base_internal::NominalCPUFrequency();
  unsigned cpu_count = CpuCount();
  uint64_t memory_bytes = MemoryBytes();
  OwnedFd procfs = OpenProcfs();
  g_procfs = procfs.get();
  tmpfs::SetReadOnlyReopener(&ReopenReadOnly);
  if (!procfs.valid()) LOG(Info, "no procfs for stubs: /proc/PID/maps will be empty");
  // Before there are stubs: one that is being forked while the root changes would keep the old one.
  if (absl::Status status = EnterEmptyRoot(); !status.ok()) return status;
  // The platform forks, and so wants a process of one thread.
  absl::StatusOr<std::unique_ptr<platform::Platform>> platform =
      config.platform->create(
          {.report_memory_calls = config.strace, .captures = syscalls::CallCaptures()});
  if (!platform.ok()) return platform.status();
  if (absl::Status status = DropCapabilities(); !status.ok()) return status;

  auto timers = time::TimerQueue::Create();
  if (!timers.ok()) return timers.status();
  int gofer_fd = config.gofer.get();
  auto channel = std::make_shared<gofer::Channel>(std::move(config.gofer));
  auto stdio = Stdio::Create();
  if (!stdio.ok()) return stdio.status();

  std::vector<host::AllowedCall> calls = SentryCalls(config.log_fd, procfs.get(), control_fd,
                                                     gofer_fd, (*platform)->RequiredHostCalls());
  if (absl::Status status = InstallSentryFilter(calls, config.log_filter_breaches); !status.ok()) {
    return status;
  }

  // Everything that a guest or the gofer can influence happens behind the filter.
  fs::RegisterSpecialFiles();
  sockets::RegisterUnixFamily();
  auto mounts = BuildMounts(config, std::move(channel));
  if (!mounts.ok()) return mounts.status();
  kernel::KernelConfig kernel_config;
  kernel_config.platform = *std::move(platform);
  kernel_config.dispatcher = syscalls::CreateDispatcher({.strace = config.strace});
  kernel_config.mounts = *std::move(mounts);
  kernel_config.timers = *std::move(timers);
  kernel_config.procfs = std::move(procfs);
  kernel_config.hostname = config.hostname;
  kernel_config.max_tasks = config.max_tasks;
  kernel_config.answers_locally = !config.strace;
  kernel_config.cpu_count = cpu_count;
  kernel_config.memory_bytes = memory_bytes;
  Prepared prepared;
  prepared.kernel = std::make_unique<kernel::Kernel>(std::move(kernel_config));
  kernel::InstallTerminalControl(*prepared.kernel);
  if (absl::Status status = MountKernelViews(*prepared.kernel); !status.ok()) return status;

  kernel::InitialProcess& process = prepared.process;
  process.file = config.file;
  process.arguments = config.arguments;
  process.environment = config.environment;
  process.credentials =
      kernel::Credentials::Create(config.uid, config.gid, config.groups, config.capabilities);
  process.working_directory = config.working_directory;
  process.limits = limits;
  process.umask = config.umask;
  vfs::Caller caller = RootCaller(*prepared.kernel->mounts());
  vfs::WalkOptions directory;
  directory.must_be_directory = true;
  if (auto place = vfs::Walk(caller, caller.root, config.working_directory, directory);
      !place.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("working directory ", config.working_directory,
                                                   ": ", strerror(place.error().value())));
  }
  auto table = (*stdio)->MakeTable(*prepared.kernel, config);
  if (!table.ok()) return table.status();
  process.fd_table = *std::move(table);
  prepared.stdio = *std::move(stdio);
  return prepared;
}

std::string StartMessage(const SentryConfig& config, int error) {
  if (error == ENOENT && config.file.find('/') == std::string::npos) {
    return absl::StrCat("exec \"", config.file, "\": executable file not found in $PATH");
  }
  return absl::StrCat("exec \"", config.file, "\": ", strerror(error));
}

}  // namespace

void RunSentry(SentryConfig config) {
  SetLogName("sentry");
  SetLogFd(config.log_fd);
  (void)prctl(PR_SET_NAME, "sentry", 0, 0, 0);
  InstallCrashLog();
  // Lives to the end of the process; ends with it, not before.
  auto& control = *new ControlSocket(std::move(config.control));
  absl::StatusOr<Prepared> prepared = Prepare(config, control.fd());
  if (!prepared.ok()) {
    FailStart(control, std::string(prepared.status().message()), 0);
  }
  // These live as long as the process: threads use them to the last.
  kernel::Kernel& kernel = *prepared->kernel.release();
  Stdio& stdio = *prepared->stdio.release();
  prepared->process.terminal = stdio.terminal();
  auto first = kernel.StartFirstProcess(std::move(prepared->process));
  if (!first.ok()) {
    int error = first.error().value();
    FailStart(control, StartMessage(config, error), error);
  }
  ControlEvent event;
  event.mutable_started();
  SendEvent(control, event);
  std::thread([&] { ServeControl(control, kernel, stdio); }).detach();

  int status = kernel.WaitForFirstProcess();
  if (stdio.bridge() != nullptr) stdio.bridge()->Drain();
  event.mutable_exited()->set_status(status);
  SendEvent(control, event);
  _exit(0);
}

}  // namespace redoubt::boot
