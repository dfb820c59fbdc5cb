// SPDX-License-Identifier: Apache-2.0
//
// TerminalBridge: moves bytes between host descriptors and the master of a guest's pty, in two
// threads, until the guest's side has closed. (The launcher has put a host terminal into raw mode:
// the line discipline is the guest's.)
#ifndef SENTRY_BOOT_TERMINAL_BRIDGE_H_
#define SENTRY_BOOT_TERMINAL_BRIDGE_H_

#include <memory>

#include "absl/synchronization/notification.h"
#include "base/owned_fd.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::boot {

class TerminalBridge {
 public:
  // Starts the threads; they hold the bridge alive.
  static std::shared_ptr<TerminalBridge> Start(OwnedFd input, OwnedFd output,
                                               RefPtr<vfs::FileDescription> master,
                                               vfs::Caller caller);

  // Gives the pty the host terminal's size; nothing when there is no host terminal.
  void UpdateWindowSize();
  // Waits, a second at most, until what the guest wrote last has gone out.
  void Drain();

 private:
  TerminalBridge(OwnedFd input, OwnedFd output, RefPtr<vfs::FileDescription> master,
                 vfs::Caller caller);
  void CopyInput();
  void CopyOutput();

  const OwnedFd input_, output_;
  const RefPtr<vfs::FileDescription> master_;
  const vfs::Caller caller_;
  absl::Notification output_done_;
};

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_TERMINAL_BRIDGE_H_
