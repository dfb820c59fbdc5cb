// SPDX-License-Identifier: Apache-2.0
//
// ControlClient: a command's connection to a container's launcher.
//
//   TRY ControlClient client = ControlClient::Connect(container);
//   boot::ControlRequest request;  request.mutable_start();
//   TRY client.Call(request);                                    // Answered, and not refused.
#ifndef RUNSC_CONTAINER_CONTROL_CLIENT_H_
#define RUNSC_CONTAINER_CONTROL_CLIENT_H_

#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runsc/container/state.h"
#include "sentry/boot/control.h"

namespace redoubt::runsc {

inline constexpr char kControlSocketName[] = "control.sock";

// A listening socket in the container's directory. Never blocks.
absl::StatusOr<OwnedFd> ListenForControl(const Container& container);

class ControlClient {
 public:
  // FAILED_PRECONDITION "container not running" when nobody listens.
  static absl::StatusOr<ControlClient> Connect(const Container& container);

  // Sends it with an id of its own, and gives the id.
  absl::StatusOr<uint64_t> Send(boot::ControlRequest request, std::span<const int> fds = {});
  // The next answer. A refusal is an error with its message: NOT_FOUND for ENOENT and ESRCH,
  // PERMISSION_DENIED for EACCES and EPERM, else UNKNOWN.
  absl::StatusOr<boot::ControlEvent> Receive();
  absl::StatusOr<boot::ControlEvent> Call(boot::ControlRequest request,
                                          std::span<const int> fds = {});
  int fd() const { return socket_.fd(); }

 private:
  explicit ControlClient(OwnedFd socket) : socket_(std::move(socket)) {}
  boot::ControlSocket socket_;
  uint64_t next_id_ = 1;
};

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_CONTROL_CLIENT_H_
