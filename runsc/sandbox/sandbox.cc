// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"
#include "base/host/unix_socket.h"
#include "runsc/sandbox/gofer_process.h"
#include "runsc/sandbox/raw_terminal.h"
#include "runsc/sandbox/sentry_process.h"
#include "sentry/boot/control.h"

namespace redoubt::runsc {

namespace {

// Signals that are the guest's, not the launcher's.
constexpr int kForwarded[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGUSR1, SIGUSR2,
                              SIGALRM, SIGCONT, SIGTSTP, SIGWINCH, SIGPIPE};

sigset_t ForwardedSet() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : kForwarded) sigaddset(&set, signal);
  return set;
}

// A child process that is gone, one way or the other, when this object is.
class Reaped {
 public:
  explicit Reaped(Child child) : child_(std::move(child)) {}
  Reaped(Reaped&&) = default;
  ~Reaped() {
    if (child_.pid < 0) return;
    (void)syscall(SYS_pidfd_send_signal, child_.pidfd.get(), SIGKILL, nullptr, 0);
    Wait();
  }
  int pidfd() const { return child_.pidfd.get(); }
  void Wait() {
    (void)host::Call([&] { return waitpid(child_.pid, nullptr, 0); });
    child_.pid = -1;
  }

 private:
  Child child_;
};

std::vector<OwnedFd> DuplicateStdio() {
  std::vector<OwnedFd> descriptors;
  for (int fd = 0; fd < 3; ++fd) {
    descriptors.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  }
  return descriptors;
}

class Supervisor {
 public:
  Supervisor(boot::ControlSocket control, int signal_fd, int sentry, int gofer)
      : control_(std::move(control)), signal_fd_(signal_fd), sentry_(sentry), gofer_(gofer) {}

  // Until the sentry has told the end, or has ended without a word.
  absl::StatusOr<SandboxOutcome> Run() {
    while (true) {
      pollfd fds[] = {{control_.fd(), POLLIN, 0},
                      {signal_fd_, POLLIN, 0},
                      {sentry_, POLLIN, 0},
                      {gofer_, POLLIN, 0}};
      if (!host::Call([&] { return poll(fds, std::size(fds), -1); }).ok()) {
        return absl::InternalError("poll failed");
      }
      if (fds[1].revents != 0) ForwardSignal();
      if (fds[0].revents != 0) {
        std::optional<SandboxOutcome> outcome = TakeEvent();
        if (outcome.has_value()) return *std::move(outcome);
      } else if ((fds[2].revents | fds[3].revents) != 0 && !LastWord()) {
        if (fds[2].revents != 0) return Lost();
        // Without its files a guest can only misbehave; caches must not make it look well.
        return absl::InternalError("the gofer ended without a word; see --debug-log");
      }
      if (lost_) return Lost();
    }
  }

 private:
  // Whether the sentry has said something after all: it speaks first and goes then, and its gofer
  // goes with it, but poll(2) looked at the control socket first.
  bool LastWord() {
    constexpr int kGraceMilliseconds = 200;
    pollfd control = {control_.fd(), POLLIN, 0};
    return host::Call([&] { return poll(&control, 1, kGraceMilliseconds); }).value_or(0) > 0;
  }

  static absl::Status Lost() {
    return absl::InternalError("the sentry ended without a word; see --debug-log");
  }

  void ForwardSignal() {
    signalfd_siginfo info;
    auto got = host::Call([&] { return read(signal_fd_, &info, sizeof(info)); });
    if (!got.ok() || *got != sizeof(info)) return;
    boot::ControlRequest request;
    request.mutable_signal()->set_number(static_cast<int32_t>(info.ssi_signo));
    // The terminal's keys go to everybody in the foreground; kill(1) to one process.
    request.mutable_signal()->set_to_group(info.ssi_code == SI_KERNEL);
    (void)control_.Send(request);
  }

  std::optional<SandboxOutcome> TakeEvent() {
    Result<boot::ControlEvent> event = control_.ReceiveEvent();
    if (!event.ok()) {
      lost_ = true;
      return std::nullopt;
    }
    SandboxOutcome outcome;
    if (event->has_exited()) {
      outcome.status = event->exited().status();
      return outcome;
    }
    if (event->has_start_failed()) {
      outcome.start_error = event->start_failed().error();
      outcome.start_message = event->start_failed().message();
      if (outcome.start_error == 0) outcome.start_error = -1;
      return outcome;
    }
    return std::nullopt;
  }

  boot::ControlSocket control_;
  const int signal_fd_;
  const int sentry_;
  const int gofer_;
  bool lost_ = false;
};

absl::Status NoSockets() { return absl::InternalError("cannot make sockets for the sandbox"); }

}  // namespace

absl::StatusOr<SandboxOutcome> RunSandbox(const SandboxSpec& spec) {
  auto gofer_pair = host::CreateMessagePair();
  auto control_pair = host::CreateMessagePair();
  if (!gofer_pair.ok() || !control_pair.ok()) return NoSockets();

  // The children start with the caller's mask; the launcher takes the guest's signals from a file.
  absl::StatusOr<Child> gofer = StartGofer(spec, std::move(gofer_pair->first));
  if (!gofer.ok()) return gofer.status();
  Reaped gofer_process(*std::move(gofer));
  gofer_pair->first.Reset();
  SentryEnds ends;
  ends.control = std::move(control_pair->first);
  ends.gofer = std::move(gofer_pair->second);
  ends.descriptors = DuplicateStdio();
  sigset_t forwarded = ForwardedSet(), old_mask;
  sigprocmask(SIG_BLOCK, &forwarded, &old_mask);
  absl::StatusOr<Child> sentry = StartSentry(spec, std::move(ends));
  if (!sentry.ok()) return sentry.status();
  Reaped sentry_process(*std::move(sentry));

  OwnedFd signals(signalfd(-1, &forwarded, SFD_CLOEXEC));
  RawTerminal raw(spec.terminal);
  Supervisor supervisor(boot::ControlSocket(std::move(control_pair->second)), signals.get(),
                        sentry_process.pidfd(), gofer_process.pidfd());
  return supervisor.Run();
}

}  // namespace redoubt::runsc
