// SPDX-License-Identifier: Apache-2.0
#include "runsc/container/control_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/host/syscall.h"

namespace redoubt::runsc {

namespace {

// A socket's path has room for 108 bytes; a container's may be longer, its descriptor's is not.
sockaddr_un AddressIn(int directory) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", directory,
           kControlSocketName);
  return address;
}

absl::Status NotRunning() { return absl::FailedPreconditionError("container not running"); }

absl::Status Refusal(const boot::Refused& refused) {
  std::string message = refused.message();
  switch (refused.error()) {
    case ENOENT:
    case ESRCH:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnknownError(message);
  }
}

}  // namespace

absl::StatusOr<OwnedFd> ListenForControl(const Container& container) {
  OwnedFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address = AddressIn(container.directory());
  if (!socket.valid() ||
      bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(socket.get(), 128) != 0) {
    return absl::InternalError(absl::StrCat("control socket: ", strerror(errno)));
  }
  return socket;
}

absl::StatusOr<ControlClient> ControlClient::Connect(const Container& container) {
  OwnedFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address = AddressIn(container.directory());
  if (!socket.valid()) return absl::InternalError("no descriptors left");
  auto connected = host::Call([&] {
    return connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
  });
  if (!connected.ok()) return NotRunning();
  return ControlClient(std::move(socket));
}

absl::StatusOr<uint64_t> ControlClient::Send(boot::ControlRequest request,
                                             std::span<const int> fds) {
  uint64_t id = next_id_++;
  request.set_id(id);
  Result<void> sent = socket_.Send(request, fds);
  if (sent.Is(EMSGSIZE)) return absl::InvalidArgumentError("too much to send to the sandbox");
  if (!sent.ok()) return NotRunning();
  return id;
}

absl::StatusOr<boot::ControlEvent> ControlClient::Receive() {
  Result<boot::ControlEvent> event = socket_.ReceiveEvent();
  if (!event.ok()) return NotRunning();
  if (event->has_refused()) return Refusal(event->refused());
  return *std::move(event);
}

absl::StatusOr<boot::ControlEvent> ControlClient::Call(boot::ControlRequest request,
                                                       std::span<const int> fds) {
  absl::StatusOr<uint64_t> id = Send(std::move(request), fds);
  if (!id.ok()) return id.status();
  return Receive();
}

}  // namespace redoubt::runsc
