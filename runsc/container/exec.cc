// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/exec.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"
#include "runsc/container/console.h"
#include "runsc/container/control_client.h"
#include "runsc/container/create.h"
#include "runsc/container/monitor.h"
#include "runsc/container/translate.h"
#include "runsc/sandbox/process_title.h"
#include "runsc/sandbox/raw_terminal.h"
#include "runsc/sandbox/sandbox.h"

namespace redoubt::runsc {

namespace {

absl::Status CheckState(const Container& container, bool ignore_paused) {
  std::string status = container.Status();
  if (status == "paused" && !ignore_paused) {
    return absl::FailedPreconditionError(
        "cannot exec in a paused container (use --ignore-paused to override): container paused");
  }
  if (status == "running" || status == "paused") return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("cannot exec in a ", status, " container: container not running"));
}

absl::Status CheckTerminal(const ExecOptions& options) {
  if (options.detach && options.process.terminal && options.console_socket.empty()) {
    return absl::InvalidArgumentError(
        "cannot allocate tty if runsc will detach without setting console socket");
  }
  if (!options.console_socket.empty() && !options.process.terminal) {
    return absl::InvalidArgumentError(
        "cannot use console socket if runsc will not detach or allocate tty");
  }
  return absl::OkStatus();
}

class ExecSession {
 public:
  ExecSession(ControlClient client, const ExecOptions& options)
      : client_(std::move(client)), options_(options) {}

  absl::Status Start() {
    absl::StatusOr<boot::ProcessSpec> process =
        TranslateProcess(options_.process, options_.seccomp);
    if (!process.ok()) return process.status();
    Result<OwnedFd> spec = boot::WriteProcessSpec(*process);
    if (!spec.ok()) return absl::InternalError("the process's description is too large");
    std::vector<int> fds{spec->get()};
    if (!options_.console_socket.empty()) {
      auto slave = OpenConsole(options_.console_socket, options_.process.console_size);
      if (!slave.ok()) return slave.status();
      console_ = *std::move(slave);
      fds.insert(fds.end(), 3, console_.get());
    } else {
      // Every number is sent: which of them is closed cannot be said in a message.
      for (int fd = 0; fd < 3; ++fd) fds.push_back(OpenOrNull(fd));
    }
    for (int i = 0; i < options_.preserve_fds; ++i) fds.push_back(OpenOrNull(3 + i));
    if (fds.size() > boot::kMostControlDescriptors) {
      return absl::InvalidArgumentError("--preserve-fds: too many descriptors");
    }
    boot::ControlRequest request;
    request.mutable_exec();
    absl::StatusOr<uint64_t> id = client_.Send(std::move(request), fds);
    if (!id.ok()) return id.status();
    id_ = *id;
    absl::StatusOr<boot::ControlEvent> started = client_.Receive();
    if (started.ok()) return absl::OkStatus();
    return absl::Status(started.status().code(),
                        absl::StrCat("unable to start container process: ",
                                     std::string(started.status().message())));
  }

  // Until its end; gives its wait4 status.
  absl::StatusOr<int> Wait() {
    sigset_t forwarded = ForwardedSignals();
    sigprocmask(SIG_BLOCK, &forwarded, nullptr);
    OwnedFd signals(signalfd(-1, &forwarded, SFD_CLOEXEC));
    while (true) {
      pollfd fds[] = {{client_.fd(), POLLIN, 0}, {signals.get(), POLLIN, 0}};
      if (!host::Call([&] { return poll(fds, 2, -1); }).ok()) {
        return absl::InternalError("poll failed");
      }
      if (fds[1].revents != 0) Forward(signals.get());
      if (fds[0].revents == 0) continue;
      absl::StatusOr<boot::ControlEvent> event = client_.Receive();
      // The container's end is the process's: by SIGKILL.
      if (absl::IsFailedPrecondition(event.status())) return SIGKILL;
      if (event.ok() && event->id() == id_ && event->has_exited()) return event->exited().status();
    }
  }

  // In the process that stands for it: lets go of all that was the caller's.
  void Detach() {
    setsid();
    SetProcessTitle("runsc-exec " + options_.process.args[0]);
    if (console_.valid()) ControlConsole(console_.get());
    for (OwnedFd& fd : TakeDescriptors(0, {client_.fd(), console_.get()})) fd.Reset();
  }

 private:
  int OpenOrNull(int fd) {
    if (fcntl(fd, F_GETFD) >= 0) return fd;
    opened_.emplace_back(open("/dev/null", O_RDWR | O_CLOEXEC));
    return opened_.back().get();
  }

  void Forward(int signals) {
    signalfd_siginfo info;
    auto got = host::Call([&] { return read(signals, &info, sizeof(info)); });
    if (!got.ok() || *got != sizeof(info)) return;
    boot::ControlRequest request;
    request.mutable_signal()->set_number(static_cast<int32_t>(info.ssi_signo));
    request.mutable_signal()->set_to_group(info.ssi_code == SI_KERNEL);
    request.mutable_signal()->set_process(id_);
    (void)client_.Send(std::move(request));
  }

  ControlClient client_;
  const ExecOptions& options_;
  OwnedFd console_;
  std::vector<OwnedFd> opened_;
  uint64_t id_ = 0;
};

[[noreturn]] void StandForProcess(ExecSession& session) {
  session.Detach();
  absl::StatusOr<int> status = session.Wait();
  EndAs(status.ok() ? *status : SIGKILL);
}

absl::StatusOr<int> LeaveBehind(const Container& container, const ExecOptions& options,
                                ExecSession& session) {
  pid_t pid = fork();
  if (pid < 0) return absl::InternalError(absl::StrCat("fork: ", strerror(errno)));
  if (pid == 0) StandForProcess(session);
  if (auto group = CgroupOf(container); group.ok()) (void)(*group)->Enter(pid);
  if (options.pid_file.empty()) return 0;
  absl::Status written = WritePidFile(options.pid_file, pid);
  if (written.ok()) return 0;
  kill(pid, SIGKILL);
  return written;
}

}  // namespace

absl::StatusOr<int> ExecInContainer(const Container& container, const ExecOptions& given) {
  ExecOptions options = given;
  if (absl::StatusOr<oci::Spec> config = container.LoadConfig(); config.ok()) {
    options.seccomp = config->linux_.seccomp;
  }
  absl::Status status = CheckState(container, options.ignore_paused);
  if (status.ok()) status = CheckTerminal(options);
  if (!status.ok()) return status;
  absl::StatusOr<ControlClient> client = ControlClient::Connect(container);
  if (!client.ok()) return client.status();
  ExecSession session(*std::move(client), options);
  RawTerminal raw(options.process.terminal && options.console_socket.empty());
  if (status = session.Start(); !status.ok()) return status;
  if (options.detach) return LeaveBehind(container, options, session);
  if (!options.pid_file.empty()) {
    if (status = WritePidFile(options.pid_file, getpid()); !status.ok()) return status;
  }
  absl::StatusOr<int> ended = session.Wait();
  if (!ended.ok()) return ended;
  return WIFSIGNALED(*ended) ? 128 + WTERMSIG(*ended) : WEXITSTATUS(*ended);
}

}  // namespace redoubt::runsc
