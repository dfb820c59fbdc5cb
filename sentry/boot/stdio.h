// SPDX-License-Identifier: Apache-2.0
//
// The first process's descriptors: the launcher's, donated, or with --tty a pseudo terminal of the
// sandbox's own that is joined to them.
#ifndef SENTRY_BOOT_STDIO_H_
#define SENTRY_BOOT_STDIO_H_

#include <memory>

#include "absl/status/statusor.h"
#include "sentry/boot/sentry_config.h"
#include "sentry/boot/terminal_bridge.h"
#include "sentry/fs/host/host_poller.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::boot {

class Stdio {
 public:
  // Starts the thread that polls host descriptors: before the seccomp filter.
  static absl::StatusOr<std::unique_ptr<Stdio>> Create();

  // Takes config.descriptors over. Once, after the mounts are there.
  absl::StatusOr<RefPtr<kernel::FdTable>> MakeTable(kernel::Kernel& kernel, SentryConfig& config);

  // Null without --tty.
  TerminalBridge* bridge() { return bridge_.get(); }
  // The pty's slave; null without --tty.
  const RefPtr<vfs::FileDescription>& terminal() const { return slave_; }

 private:
  explicit Stdio(std::unique_ptr<fs::HostPoller> poller) : poller_(std::move(poller)) {}
  absl::StatusOr<RefPtr<kernel::FdTable>> MakeTerminalTable(kernel::Kernel& kernel,
                                                            SentryConfig& config);

  const std::unique_ptr<fs::HostPoller> poller_;
  std::shared_ptr<TerminalBridge> bridge_;
  RefPtr<vfs::FileDescription> slave_;
};

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_STDIO_H_
