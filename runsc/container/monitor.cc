// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/monitor.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/host/unix_socket.h"
#include "base/log.h"
#include "runsc/container/console.h"
#include "runsc/container/hooks.h"
#include "runsc/container/root_view.h"
#include "runsc/sandbox/launch.h"
#include "runsc/sandbox/process_title.h"
#include "runsc/sandbox/sandbox.h"
#include "runsc/sandbox/supervisor.h"

namespace redoubt::runsc {

namespace {

void CloseOthers(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = 0;
  for (int fd : kept) {
    if (fd < 0) continue;
    unsigned number = static_cast<unsigned>(fd);
    if (number > first) (void)close_range(first, number - 1, 0);
    first = std::max(first, number + 1);
  }
  (void)close_range(first, ~0U, 0);
}

absl::Status JoinNetwork(const oci::Spec& spec) {
  const oci::Namespace* network = spec.FindNamespace("network");
  if (network == nullptr) return absl::OkStatus();
  if (network->path.empty()) {
    if (unshare(CLONE_NEWNET) == 0) return absl::OkStatus();
    // An ordinary user may not; the sandbox has a namespace of its own besides.
    if (errno == EPERM) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("a new network namespace: ", strerror(errno)));
  }
  OwnedFd space(open(network->path.c_str(), O_RDONLY | O_CLOEXEC));
  if (space.valid() && setns(space.get(), CLONE_NEWNET) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("network namespace ", network->path, ": ", strerror(errno)));
}

// The end of the sandbox's log that it writes to; what nobody reads in time is lost, not waited
// for.
OwnedFd RedirectLog() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return OwnedFd();
  SetLogFd(ends[1]);
  return OwnedFd(ends[0]);
}

class Monitor {
 public:
  Monitor(MonitorParts parts, MonitorLink link)
      : parts_(std::move(parts)), link_(std::move(link)) {}

  [[noreturn]] void Run() {
    absl::StatusOr<SandboxOutcome> outcome = Live();
    if (!outcome.ok()) Fail(std::string(outcome.status().message()));
    if (outcome->start_error != 0 && !created_) {
      Fail(absl::StrCat("unable to start container process: ", outcome->start_message));
    }
    (void)parts_.container->WriteFile("exit_status", std::to_string(outcome->status));
    EndAs(outcome->status);
  }

 private:
  absl::StatusOr<SandboxOutcome> Live() {
    if (!parts_.keep_log) SetLogFd(-1);
    std::vector<OwnedFd> descriptors = TakeDescriptors(
        parts_.preserve_fds,
        {link_.fd(), parts_.listener.get(), LogFd(), parts_.container->directory()});
    absl::Status status = MakeNamespaces();
    if (!status.ok()) return status;
    if (!parts_.console_socket.empty()) {
      status = TakeConsole(descriptors);
      if (!status.ok()) return status;
    }
    sigset_t forwarded = ForwardedSignals();
    sigprocmask(SIG_BLOCK, &forwarded, nullptr);
    OwnedFd log;
    if (LogFd() < 0) log = RedirectLog();
    absl::StatusOr<LaunchedSandbox> sandbox = Launch(parts_.sandbox, std::move(descriptors));
    if (!sandbox.ok()) return sandbox.status();
    OwnedFd signals(signalfd(-1, &forwarded, SFD_CLOEXEC));
    SupervisorOptions options;
    options.signals = signals.get();
    options.listener = parts_.listener.get();
    options.log = log.get();
    options.abort = link_.fd();
    options.on_created = [this] { OnCreated(); };
    Supervisor supervisor(*std::move(sandbox), std::move(options));
    supervisor_ = &supervisor;
    return supervisor.Run();
  }

  absl::Status MakeNamespaces() {
    absl::Status status = JoinNetwork(parts_.spec);
    if (!status.ok()) return status;
    if (status = link_.Send("ready"); !status.ok()) return status;
    if (auto go = link_.Expect("go"); !go.ok()) return go.status();
    if (parts_.spec.hooks.create_container.empty()) return absl::OkStatus();
    parts_.container->state().monitor = ProcessId::Of(getpid());
    return RunHooks("createContainer", parts_.spec.hooks.create_container,
                    parts_.container->Describe("creating"));
  }

  absl::Status TakeConsole(std::vector<OwnedFd>& descriptors) {
    absl::StatusOr<OwnedFd> slave =
        OpenConsole(parts_.console_socket, parts_.spec.process.console_size);
    if (!slave.ok()) return slave.status();
    ControlConsole(slave->get());
    for (size_t fd = 0; fd < 3; ++fd) {
      descriptors[fd].Reset(fcntl(slave->get(), F_DUPFD_CLOEXEC, 3));
    }
    console_ = *std::move(slave);
    return absl::OkStatus();
  }

  void OnCreated() {
    absl::Status viewed = EnterRootView(parts_.sandbox);
    if (!viewed.ok()) {
      LOG(Info, "no view of the container's root: %s", std::string(viewed.message()).c_str());
    }
    (void)link_.Send(
        absl::StrCat("created ", supervisor_->sentry_pid(), " ", supervisor_->gofer_pid()));
    link_.Close();
    created_ = true;
  }

  // Before the container is there, create tells; afterwards a death that nobody asked for does.
  [[noreturn]] void Fail(const std::string& message) {
    LOG(Error, "%s", message.c_str());
    if (created_) EndAs(SIGKILL);
    (void)link_.Send("error " + message);
    _exit(1);
  }

  MonitorParts parts_;
  MonitorLink link_;
  OwnedFd console_;
  Supervisor* supervisor_ = nullptr;
  bool created_ = false;
};

}  // namespace

absl::Status MonitorLink::Send(const std::string& text) {
  constexpr size_t kMostBytes = 4000;
  std::string message = text.substr(0, kMostBytes);
  Result<void> sent = host::SendMessage(socket_.get(), std::as_bytes(std::span(message)));
  return sent.ok() ? absl::OkStatus() : absl::InternalError("the container's monitor is gone");
}

absl::StatusOr<std::string> MonitorLink::Expect(const std::string& word) {
  std::array<std::byte, 4096> buffer;
  auto message = host::ReceiveMessage(socket_.get(), buffer, 0);
  if (!message.ok() || message->size == 0) {
    return absl::InternalError("the container's monitor ended without a word");
  }
  std::string text(reinterpret_cast<const char*>(buffer.data()), message->size);
  if (text.starts_with("error ")) return absl::UnknownError(text.substr(6));
  if (!text.starts_with(word)) return absl::InternalError("unexpected word: " + text);
  return text.size() > word.size() ? text.substr(word.size() + 1) : "";
}

std::vector<OwnedFd> TakeDescriptors(int preserved, std::vector<int> kept) {
  std::vector<OwnedFd> taken;
  for (int fd = 0; fd < 3 + preserved; ++fd) {
    taken.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 3 + preserved));
    kept.push_back(taken.back().get());
  }
  CloseOthers(std::move(kept));
  // The lowest free numbers: 0, 1, 2.
  for (int fd = 0; fd < 3; ++fd) {
    if (open("/dev/null", O_RDWR) > 2) break;
  }
  return taken;
}

void EndAs(int status) {
  if (!WIFSIGNALED(status)) _exit(WEXITSTATUS(status));
  int number = WTERMSIG(status);
  // The core would be ours.
  rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  signal(number, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  sigprocmask(SIG_UNBLOCK, &only, nullptr);
  (void)raise(number);
  _exit(128 + number);
}

void RunMonitor(MonitorParts parts, MonitorLink link) {
  setsid();
  parts.container->LeaveLock();
  SetProcessTitle("runsc-monitor " + parts.container->state().id);
  SetLogName("monitor");
  // On the heap and never freed: nothing of it may end before the process does.
  auto* monitor = new Monitor(std::move(parts), std::move(link));
  monitor->Run();
}

}  // namespace redoubt::runsc
