// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <utility>
#include <vector>

#include "runsc/sandbox/launch.h"
#include "runsc/sandbox/raw_terminal.h"
#include "runsc/sandbox/supervisor.h"

namespace redoubt::runsc {

namespace {

// Signals that are the guest's, not the launcher's.
constexpr int kForwarded[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGUSR1, SIGUSR2,
                              SIGALRM, SIGCONT, SIGTSTP, SIGWINCH, SIGPIPE};

}  // namespace

sigset_t ForwardedSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : kForwarded) sigaddset(&set, signal);
  return set;
}

namespace {

std::vector<OwnedFd> DuplicateStdio() {
  std::vector<OwnedFd> descriptors;
  for (int fd = 0; fd < 3; ++fd) {
    descriptors.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  }
  return descriptors;
}

}  // namespace

absl::StatusOr<SandboxOutcome> RunSandbox(const SandboxSpec& spec, const SandboxOptions& how) {
  // From here on what is the guest's comes by a file. The children start with an empty mask.
  sigset_t forwarded = ForwardedSignals();
  sigprocmask(SIG_BLOCK, &forwarded, nullptr);
  absl::StatusOr<LaunchedSandbox> sandbox = Launch(spec, DuplicateStdio());
  if (!sandbox.ok()) return sandbox.status();
  if (how.after_launch) how.after_launch();
  OwnedFd signals(signalfd(-1, &forwarded, SFD_CLOEXEC));
  RawTerminal raw(spec.process.terminal());
  SupervisorOptions options;
  options.start_at_once = true;
  options.signals = signals.get();
  Supervisor supervisor(*std::move(sandbox), std::move(options));
  return supervisor.Run();
}

}  // namespace redoubt::runsc
