// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/create.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"
#include "base/host/unix_socket.h"
#include "base/log.h"
#include "runsc/container/control_client.h"
#include "runsc/container/exec.h"
#include "runsc/container/hooks.h"
#include "runsc/container/monitor.h"
#include "runsc/container/translate.h"

namespace redoubt::runsc {

namespace {

absl::Status CheckTerminal(const oci::Process& process, const CreateOptions& options) {
  if (options.detached && process.terminal && options.console_socket.empty()) {
    return absl::InvalidArgumentError(
        "cannot allocate tty if runsc will detach without setting console socket");
  }
  if (!options.console_socket.empty() && (!process.terminal || !options.detached)) {
    return absl::InvalidArgumentError(
        "cannot use console socket if runsc will not detach or allocate tty");
  }
  return absl::OkStatus();
}

// systemd's protocol for passed sockets (sd_listen_fds(3)).
void PassListenFds(MonitorParts& parts) {
  const char* count = getenv("LISTEN_FDS");
  int number = count == nullptr ? 0 : atoi(count);
  if (number <= 0 || number > 16) return;
  parts.preserve_fds += number;
  parts.sandbox.process.add_environment(absl::StrCat("LISTEN_FDS=", number));
  parts.sandbox.process.add_environment("LISTEN_PID=1");
}

class Creator {
 public:
  Creator(const CreateOptions& options, Container& container, oci::Spec spec)
      : options_(options), container_(container), spec_(std::move(spec)) {}

  absl::Status Run() {
    for (auto step : {&Creator::SaveConfig, &Creator::MakeCgroup, &Creator::StartMonitor,
                      &Creator::RunRuntimeHooks, &Creator::AwaitCreated}) {
      absl::Status status = (this->*step)();
      if (status.ok()) continue;
      Undo();
      return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status SaveConfig() {
    State& state = container_.state();
    state.oci_version = spec_.oci_version;
    state.bundle = options_.bundle;
    state.rootfs = spec_.root_path;
    state.rootless = options_.rootless;
    state.annotations = spec_.annotations;
    absl::StatusOr<std::string> config = oci::ReadTextFile(options_.bundle + "/config.json");
    if (!config.ok()) return config.status();
    absl::Status saved = container_.WriteFile("config.json", *config);
    return saved.ok() ? container_.Save() : saved;
  }

  absl::Status MakeCgroup() {
    absl::StatusOr<std::unique_ptr<cgroup::Cgroup>> group =
        cgroup::Cgroup::Resolve({.cgroups_path = spec_.linux_.cgroups_path,
                                 .container_id = options_.id,
                                 .systemd = options_.systemd_cgroup,
                                 .rootless = options_.rootless});
    if (!group.ok()) return group.status();
    group_ = *std::move(group);
    // Known before they are there: whoever is killed in between leaves nothing that is not known.
    container_.state().cgroup_paths = group_->paths();
    if (absl::Status saved = container_.Save(); !saved.ok()) return saved;
    absl::Status made = group_->Create();
    if (!made.ok()) return made;
    container_.state().cgroup_paths = group_->paths();
    if (absl::Status saved = container_.Save(); !saved.ok()) return saved;
    return group_->Apply(cgroup::WithRoomForSandbox(spec_.linux_.resources));
  }

  absl::Status StartMonitor() {
    MonitorParts parts;
    parts.container = &container_;
    parts.spec = spec_;
    absl::StatusOr<SandboxSpec> sandbox = TranslateSpec(spec_, {.bundle = options_.bundle,
                                                                .platform = options_.platform,
                                                                .overlay = options_.overlay,
                                                                .strace = options_.strace});
    if (!sandbox.ok()) return sandbox.status();
    parts.sandbox = *std::move(sandbox);
    absl::StatusOr<OwnedFd> listener = ListenForControl(container_);
    if (!listener.ok()) return listener.status();
    parts.listener = *std::move(listener);
    parts.console_socket = options_.console_socket;
    parts.preserve_fds = options_.preserve_fds;
    parts.keep_log = options_.keep_log;
    PassListenFds(parts);
    auto pair = host::CreateMessagePair();
    if (!pair.ok()) return absl::InternalError("no descriptors left");
    pid_ = fork();
    if (pid_ < 0) return absl::InternalError(absl::StrCat("fork: ", strerror(errno)));
    if (pid_ == 0) {
      link_.Close();
      pair->first.Reset();
      RunMonitor(std::move(parts), MonitorLink(std::move(pair->second)));
    }
    link_ = MonitorLink(std::move(pair->first));
    container_.state().monitor = ProcessId::Of(pid_);
    absl::Status saved = container_.Save();
    return saved.ok() ? group_->Enter(pid_) : saved;
  }

  absl::Status RunRuntimeHooks() {
    auto ready = link_.Expect("ready");
    if (!ready.ok()) return ready.status();
    std::string state = container_.Describe("creating");
    absl::Status status = RunHooks("prestart", spec_.hooks.prestart, state);
    if (status.ok()) status = RunHooks("createRuntime", spec_.hooks.create_runtime, state);
    return status.ok() ? link_.Send("go") : status;
  }

  absl::Status AwaitCreated() {
    absl::StatusOr<std::string> pids = link_.Expect("created");
    if (!pids.ok()) return pids.status();
    std::istringstream words(*pids);
    pid_t sentry = 0, gofer = 0;
    words >> sentry >> gofer;
    State& state = container_.state();
    state.sentry = ProcessId::Of(sentry);
    state.gofer = ProcessId::Of(gofer);
    state.status = "created";
    state.creator = {};
    if (absl::Status saved = container_.Save(); !saved.ok()) return saved;
    if (options_.pid_file.empty()) return absl::OkStatus();
    return WritePidFile(options_.pid_file, pid_);
  }

  void Undo() {
    link_.Close();
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      (void)host::Call([&] { return waitpid(pid_, nullptr, 0); });
    }
    if (group_ != nullptr) {
      (void)group_->Signal(SIGKILL);
      (void)group_->Delete();
    }
    (void)container_.Remove();
  }

  const CreateOptions& options_;
  Container& container_;
  const oci::Spec spec_;
  std::unique_ptr<cgroup::Cgroup> group_;
  MonitorLink link_{OwnedFd()};
  pid_t pid_ = 0;
};

}  // namespace

absl::Status WritePidFile(const std::string& path, pid_t pid) {
  size_t slash = path.rfind('/') + 1;  // npos + 1 is 0.
  std::string temporary = absl::StrCat(path.substr(0, slash), ".", path.substr(slash));
  OwnedFd file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  std::string text = std::to_string(pid);
  if (!file.valid() || write(file.get(), text.data(), text.size()) < 0 ||
      rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::InternalError(absl::StrCat("--pid-file ", path, ": ", strerror(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<Container> CreateContainer(const CreateOptions& options) {
  if (absl::Status status = CheckContainerId(options.id); !status.ok()) return status;
  absl::StatusOr<oci::Spec> spec = oci::LoadSpec(options.bundle);
  if (!spec.ok()) return spec.status();
  absl::Status terminal = CheckTerminal(spec->process, options);
  if (!terminal.ok()) return terminal;
  absl::StatusOr<Container> container = Container::Create(options.root, options.id);
  if (!container.ok()) return container.status();
  absl::Status created = Creator(options, *container, *std::move(spec)).Run();
  if (!created.ok()) return created;
  return container;
}

absl::StatusOr<std::unique_ptr<cgroup::Cgroup>> CgroupOf(const Container& container) {
  return cgroup::Cgroup::FromPaths(container.state().cgroup_paths, container.state().rootless);
}

absl::Status StartContainer(Container& container) {
  std::string status = container.Status();
  if (status == "running" || status == "paused") {
    return absl::FailedPreconditionError("cannot start an already running container");
  }
  if (status == "stopped") {
    return absl::FailedPreconditionError("cannot start a container that has stopped");
  }
  if (status != "created") {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot start a container in the ", status, " state"));
  }
  absl::StatusOr<oci::Spec> spec = container.LoadConfig();
  if (!spec.ok()) return spec.status();
  absl::Status hooked = RunStartHooks(container, *spec);
  if (!hooked.ok()) {
    // The specification: the container is stopped, and its life goes on from there.
    (void)container.state().monitor.KillAndWait(absl::Seconds(10));
    return hooked;
  }
  absl::StatusOr<ControlClient> client = ControlClient::Connect(container);
  if (!client.ok()) return client.status();
  boot::ControlRequest request;
  request.mutable_start();
  absl::StatusOr<boot::ControlEvent> started = client->Call(std::move(request));
  if (!started.ok()) return started.status();
  container.state().status = "running";
  if (absl::Status saved = container.Save(); !saved.ok()) return saved;
  RunHooksAndWarn("poststart", spec->hooks.poststart, container.Describe("running"));
  return absl::OkStatus();
}

absl::Status DestroyContainer(Container& container) {
  absl::StatusOr<std::unique_ptr<cgroup::Cgroup>> group = CgroupOf(container);
  if (!group.ok()) return group.status();
  const State& state = container.state();
  // The monitor first: sentry and gofer die with it, the guests with the sentry.
  constexpr absl::Duration kDeadline = absl::Seconds(10);
  if (state.monitor.IsAlive()) (void)(*group)->Thaw();
  for (const ProcessId* process : {&state.monitor, &state.sentry, &state.gofer}) {
    if (process->IsAlive() && !process->KillAndWait(kDeadline)) {
      return absl::DeadlineExceededError(absl::StrCat("process ", process->pid, " does not end"));
    }
  }
  (void)(*group)->Signal(SIGKILL);
  if (absl::Status deleted = (*group)->Delete(kDeadline); !deleted.ok()) return deleted;
  absl::StatusOr<oci::Spec> spec = container.LoadConfig();
  std::string description = container.Describe("stopped");
  absl::Status removed = container.Remove();
  if (removed.ok() && spec.ok()) RunHooksAndWarn("poststop", spec->hooks.poststop, description);
  return removed;
}

}  // namespace redoubt::runsc
