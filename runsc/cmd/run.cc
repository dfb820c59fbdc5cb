// SPDX-License-Identifier: Apache-2.0
//
// runsc run [flags] ID: create, start and, unless detached, wait and delete.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "base/host/syscall.h"
#include "base/owned_fd.h"
#include "runsc/cmd/commands.h"
#include "runsc/cmd/create_flags.h"
#include "runsc/sandbox/raw_terminal.h"
#include "runsc/sandbox/sandbox.h"

namespace redoubt::runsc {

namespace {

constexpr int kRunFailed = 255;  // As runc.

struct RunFlags {
  CreateFlags create;
  bool detach = false, keep = false;
};

// Passes signals on until the monitor, our child, has ended; gives the exit code.
int Attend(pid_t monitor) {
  sigset_t forwarded = ForwardedSignals();
  OwnedFd signals(signalfd(-1, &forwarded, SFD_CLOEXEC));
  OwnedFd process(static_cast<int>(syscall(SYS_pidfd_open, monitor, 0)));
  while (true) {
    pollfd fds[] = {{process.get(), POLLIN, 0}, {signals.get(), POLLIN, 0}};
    if (!host::Call([&] { return poll(fds, 2, -1); }).ok()) break;
    if (fds[1].revents != 0) {
      signalfd_siginfo info;
      auto got = host::Call([&] { return read(signals.get(), &info, sizeof(info)); });
      if (got.ok()) kill(monitor, static_cast<int>(info.ssi_signo));
    }
    if (fds[0].revents != 0) break;
  }
  int status = 0;
  (void)host::Call([&] { return waitpid(monitor, &status, 0); });
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int Run(const Globals& globals, const RunFlags& flags) {
  absl::StatusOr<CreateOptions> options = CompleteOptions(globals, flags.create);
  if (!options.ok()) return Report(globals, options.status(), kRunFailed);
  options->detached = flags.detach;
  // Before there is somebody to pass them on to, they wait.
  sigset_t forwarded = ForwardedSignals();
  if (!flags.detach) sigprocmask(SIG_BLOCK, &forwarded, nullptr);
  absl::StatusOr<Container> container = CreateContainer(*options);
  if (!container.ok()) return Report(globals, container.status(), kRunFailed);
  absl::StatusOr<oci::Spec> spec = container->LoadConfig();
  bool terminal = !flags.detach && spec.ok() && spec->process.terminal;
  int code = 0;
  {
    RawTerminal raw(terminal);
    absl::Status started = StartContainer(*container);
    if (!started.ok()) {
      (void)DestroyContainer(*container);
      return Report(globals, started, kRunFailed);
    }
    if (flags.detach) return 0;
    // Others may look and act while it runs.
    container->LeaveLock();
    code = Attend(container->state().monitor.pid);
  }
  if (flags.keep) return code;
  absl::StatusOr<Container> again = Container::Open(globals.StateRoot(), options->id);
  absl::Status destroyed = again.ok() ? DestroyContainer(*again) : absl::OkStatus();
  return destroyed.ok() ? code : Report(globals, destroyed, kRunFailed);
}

}  // namespace

void AddRunCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("run", "Create and start a container");
  auto flags = std::make_shared<RunFlags>();
  AddCreateFlags(*command, &flags->create);
  command->add_flag("--detach,-d", flags->detach, "Leave it running");
  command->add_flag("--keep", flags->keep, "Do not delete it at its end");
  command->add_flag("--no-subreaper", flags->create.no_subreaper, "Accepted");
  command->callback(
      [flags, line] { *line.run = [flags, line] { return Run(line.globals, *flags); }; });
}

}  // namespace redoubt::runsc
