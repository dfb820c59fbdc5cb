// SPDX-License-Identifier: Apache-2.0
//
// The host's pseudo terminal between an engine and a container's own: the engine gets the master by
// its console socket, the sandbox joins the slave with a pty of the guest's. The host's line
// discipline is raw, since the guest's has the settings.
#ifndef RUNSC_CONTAINER_CONSOLE_H_
#define RUNSC_CONTAINER_CONSOLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/owned_fd.h"
#include "runsc/oci/spec.h"

namespace redoubt::runsc {

// Makes a pair, sends the master to the unix socket at `socket_path`, and gives the slave.
absl::StatusOr<OwnedFd> OpenConsole(const std::string& socket_path, const oci::ConsoleSize& size);

// Makes it the controlling terminal of this process, a session leader without one, so that changes
// of its size arrive here as SIGWINCH.
void ControlConsole(int slave);

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_CONSOLE_H_
