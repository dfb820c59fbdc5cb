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
#include "sentry/boot/container_files.h"
#include "sentry/boot/control.h"
#include "sentry/boot/control_server.h"
#include "sentry/boot/crash_log.h"
#include "sentry/boot/filesystems.h"
#include "sentry/boot/network.h"
#include "sentry/boot/owner_signal.h"
#include "sentry/boot/process_spec.h"
#include "sentry/boot/stdio.h"
#include "sentry/fs/dev/devices.h"
#include "sentry/fs/tmpfs/host_file.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/terminal_control.h"
#include "sentry/socket/inet/inet.h"
#include "sentry/syscalls/captures.h"
#include "sentry/syscalls/dispatcher.h"
#include "sentry/time/timer_queue.h"

namespace redoubt::boot {

namespace {

[[noreturn]] void FailStart(ControlSocket& control, std::string message, int error) {
  ControlEvent event;
  event.mutable_refused()->set_message(std::move(message));
  event.mutable_refused()->set_error(error);
  if (!control.Send(event).ok()) LOG(Debug, "the launcher is gone");
  _exit(1);
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

// When memory runs out, the host is to kill a guest process, not the sentry: what is forked while
// this is in force gets the highest oom_score_adj. Anyone may raise it, and take back what he
// raised.
class StubsDieFirst {
 public:
  StubsDieFirst() {
    // Its change of ids has made this process undumpable, and its files in procfs root's.
    int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 ? 1 : 0;
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    file_.Reset(open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC));
    (void)prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
    char text[16];
    ssize_t size = pread(file_.get(), text, sizeof(text), 0);
    if (size > 0) before_.assign(text, static_cast<size_t>(size));
    if (size <= 0 || pwrite(file_.get(), "1000", 4, 0) != 4) Missing();
  }
  void RestoreSentry() {
    if (before_.empty()) return;
    auto size = static_cast<ssize_t>(before_.size());
    if (pwrite(file_.get(), before_.data(), before_.size(), 0) != size) Missing();
    file_.Reset();
  }

 private:
  void Missing() { LOG(Info, "oom_score_adj cannot be set: %s", strerror(errno)); }
  OwnedFd file_;
  std::string before_;
};

struct Prepared {
  std::unique_ptr<kernel::Kernel> kernel;
  std::unique_ptr<Stdio> stdio;
  kernel::Limits limits;  // Of processes whose configuration says nothing.
};

// Mounts and files, and whether the first process can be run at all.
absl::Status BuildContainer(kernel::Kernel& kernel, MountBuilder& builder,
                            const SentryConfig& config, int* error) {
  for (size_t i = 1; i < config.mounts.size(); ++i) {
    absl::Status status = builder.Mount(kernel, config.mounts[i]);
    if (!status.ok()) return status;
  }
  absl::Status status = PrepareContainerFiles(kernel, config);
  if (!status.ok()) return status;
  Result<kernel::InitialProcess> process =
      MakeProcess(kernel, config.process, kernel::DefaultLimits());
  if (!process.ok()) return absl::InvalidArgumentError("no process to start");
  bool bad_directory = false;
  Result<void> found = kernel::CheckProgram(CallerOf(kernel, *process), *process, &bad_directory);
  if (found.ok()) return absl::OkStatus();
  int reason = found.error().value();
  *error = bad_directory ? 0 : reason;  // A bad directory is not the command's fault.
  return absl::NotFoundError(StartMessage(config.process, bad_directory, reason));
}

absl::StatusOr<Prepared> Prepare(SentryConfig& config, int control_fd, int* error) {
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
  bool see_memory_calls = config.strace || FilterLooksAtMemoryCalls(config.process);
  StubsDieFirst stubs_die_first;
  // Before there are stubs: one that is being forked while the root changes would keep the old one.
  if (absl::Status status = EnterEmptyRoot(); !status.ok()) return status;
  // The platform forks, and so wants a process of one thread.
  absl::StatusOr<std::unique_ptr<platform::Platform>> platform = config.platform->create(
      {.report_memory_calls = see_memory_calls, .captures = syscalls::CallCaptures()});
  stubs_die_first.RestoreSentry();
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
  RegisterNetwork();
  inet::RegisterInetFamilies();
  MountBuilder builder(std::move(channel));
  auto mounts = builder.BuildRoot(config.mounts.front());
  if (!mounts.ok()) return mounts.status();
  kernel::KernelConfig kernel_config;
  kernel_config.platform = *std::move(platform);
  kernel_config.dispatcher = syscalls::CreateDispatcher({.strace = config.strace});
  kernel_config.mounts = *std::move(mounts);
  kernel_config.timers = *std::move(timers);
  kernel_config.procfs = std::move(procfs);
  kernel_config.hostname = config.hostname;
  kernel_config.max_tasks = config.max_tasks;
  kernel_config.limits = config.limits;
  kernel_config.answers_locally = !config.strace;
  kernel_config.host_cpus = cpu_count;
  kernel_config.host_memory_bytes = memory_bytes;
  Prepared prepared;
  prepared.kernel = std::make_unique<kernel::Kernel>(std::move(kernel_config));
  kernel::InstallTerminalControl(*prepared.kernel);
  InstallOwnerSignals(*prepared.kernel);
  if (!config.domainname.empty()) prepared.kernel->SetDomainname(config.domainname);
  absl::Status status = BuildContainer(*prepared.kernel, builder, config, error);
  if (!status.ok()) return status;
  inet::StartTimers(prepared.kernel->timers());
  prepared.limits = limits;
  prepared.stdio = *std::move(stdio);
  return prepared;
}

}  // namespace

void RunSentry(SentryConfig config) {
  SetLogName("sentry");
  SetLogFd(config.log_fd);
  (void)prctl(PR_SET_NAME, "sentry", 0, 0, 0);
  InstallCrashLog();
  // Lives to the end of the process; ends with it, not before.
  auto& control = *new ControlSocket(std::move(config.control));
  int error = 0;
  absl::StatusOr<Prepared> prepared = Prepare(config, control.fd(), &error);
  if (!prepared.ok()) {
    FailStart(control, std::string(prepared.status().message()), error);
  }
  // These live as long as the process: threads use them to the last.
  auto& server = *new ControlServer(&control, prepared->kernel.release(), prepared->stdio.release(),
                                    prepared->limits);
  server.Run(std::move(config.process), std::move(config.descriptors));
}

}  // namespace redoubt::boot
