// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/launch.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "base/host/syscall.h"
#include "base/host/unix_socket.h"
#include "runsc/sandbox/gofer_process.h"
#include "runsc/sandbox/sentry_process.h"

namespace redoubt::runsc {

namespace {

absl::Status NoSockets() { return absl::InternalError("cannot make sockets for the sandbox"); }

}  // namespace

ReapedChild::~ReapedChild() {
  if (!child_.pidfd.valid()) return;
  (void)syscall(SYS_pidfd_send_signal, child_.pidfd.get(), SIGKILL, nullptr, 0);
  (void)host::Call([&] { return waitpid(child_.pid, nullptr, 0); });
}

absl::StatusOr<LaunchedSandbox> Launch(const SandboxSpec& spec, std::vector<OwnedFd> descriptors) {
  auto gofer_pair = host::CreateMessagePair();
  auto control_pair = host::CreateMessagePair();
  if (!gofer_pair.ok() || !control_pair.ok()) return NoSockets();
  absl::StatusOr<Child> gofer = StartGofer(spec, std::move(gofer_pair->first));
  if (!gofer.ok()) return gofer.status();
  ReapedChild gofer_process(*std::move(gofer));
  gofer_pair->first.Reset();
  SentryEnds ends;
  ends.control = std::move(control_pair->first);
  ends.gofer = std::move(gofer_pair->second);
  ends.descriptors = std::move(descriptors);
  absl::StatusOr<Child> sentry = StartSentry(spec, std::move(ends));
  if (!sentry.ok()) return sentry.status();
  return LaunchedSandbox{.control = boot::ControlSocket(std::move(control_pair->second)),
                         .gofer = std::move(gofer_process),
                         .sentry = ReapedChild(*std::move(sentry))};
}

}  // namespace redoubt::runsc
