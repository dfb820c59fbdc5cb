// SPDX-License-Identifier: Apache-2.0
//
// The control socket between a sentry and its launcher, and between the launcher and runsc's
// commands: both ends. Messages are bounded; one that does not parse ends the connection.
#ifndef SENTRY_BOOT_CONTROL_H_
#define SENTRY_BOOT_CONTROL_H_

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/owned_fd.h"
#include "base/result.h"
#include "sentry/boot/control.pb.h"

namespace redoubt::boot {

// Descriptors of one request: a ProcessSpec's file, and what the process gets.
inline constexpr size_t kMostControlDescriptors = 32;

class ControlSocket {
 public:
  explicit ControlSocket(OwnedFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  Result<void> Send(const ControlRequest& request, std::span<const int> fds = {}) {
    return SendBytes(request.SerializeAsString(), fds);
  }
  Result<void> Send(const ControlEvent& event) { return SendBytes(event.SerializeAsString(), {}); }
  // Wait for one message. EPIPE: the other side is gone; EBADMSG: it sent nonsense. Descriptors
  // that came with a request go to `fds`; when it is null, they may not come.
  Result<ControlRequest> ReceiveRequest(std::vector<OwnedFd>* fds = nullptr);
  Result<ControlEvent> ReceiveEvent();

 private:
  Result<void> SendBytes(const std::string& bytes, std::span<const int> fds);
  Result<std::string> ReceiveBytes(std::vector<OwnedFd>* fds);

  OwnedFd socket_;
};

// A ProcessSpec as a file in memory, to be sent along; and read again from what was sent (at most
// 8 MiB: arguments and environment are bounded by the guest's exec anyway).
Result<OwnedFd> WriteProcessSpec(const ProcessSpec& spec);
Result<ProcessSpec> ReadProcessSpec(int fd);

}  // namespace redoubt::boot

#endif  // SENTRY_BOOT_CONTROL_H_
