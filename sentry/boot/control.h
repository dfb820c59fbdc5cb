// SPDX-License-Identifier: Apache-2.0
//
// The control socket between a sentry and its launcher: both ends. Messages are bounded; one that
// does not parse ends the connection.
#ifndef SENTRY_BOOT_CONTROL_H_
#define SENTRY_BOOT_CONTROL_H_

#include "base/owned_fd.h"
#include "base/result.h"
#include "sentry/boot/control.pb.h"

namespace redoubt::boot {

class ControlSocket {
 public:
  explicit ControlSocket(OwnedFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  Result<void> Send(const ControlRequest& request) {
    return SendBytes(request.SerializeAsString());
  }
  Result<void> Send(const ControlEvent& event) { return SendBytes(event.SerializeAsString()); }
  // Wait for one message. EPIPE: the other side is gone; EBADMSG: it sent nonsense.
  Result<ControlRequest> ReceiveRequest();
  Result<ControlEvent> ReceiveEvent();

 private:
  Result<void> SendBytes(const std::string& bytes);
  Result<std::string> ReceiveBytes();

  OwnedFd socket_;
};

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_CONTROL_H_
