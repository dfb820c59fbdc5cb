// SPDX-License-Identifier: Apache-2.0
//
// The descriptors that a process from outside starts with: donated ones of the host, or a pseudo
// terminal of the sandbox's own that is joined to them.
#ifndef SENTRY_BOOT_STDIO_H_
#define SENTRY_BOOT_STDIO_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "sentry/boot/terminal_bridge.h"
#include "sentry/fs/host/host_poller.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::boot {

struct ProcessStdio {
  RefPtr<kernel::FdTable> table;
  // With a terminal, else null: the pty's slave, and what moves its bytes.
  RefPtr<vfs::FileDescription> terminal;
  std::shared_ptr<TerminalBridge> bridge;
};

class Stdio {
 public:
  // Starts the thread that polls host descriptors: before the seccomp filter.
  static absl::StatusOr<std::unique_ptr<Stdio>> Create();

  // Descriptors 0, 1, 2 ... of a process; an invalid one leaves the number closed.
  absl::StatusOr<ProcessStdio> Donate(std::vector<OwnedFd> descriptors);
  // The first two are a terminal (or pipes) of the host's that keys come from and text goes to; the
  // ones from 3 on are donated. `owner` gets the pty.
  absl::StatusOr<ProcessStdio> JoinTerminal(kernel::Kernel& kernel,
                                            std::vector<OwnedFd> descriptors, uint32_t owner);

 private:
  explicit Stdio(std::unique_ptr<fs::HostPoller> poller) : poller_(std::move(poller)) {}
  absl::Status Install(std::vector<OwnedFd> descriptors, size_t first, kernel::FdTable& table);

  const std::unique_ptr<fs::HostPoller> poller_;
};

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_STDIO_H_
