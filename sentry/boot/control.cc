// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/control.h"

#include <span>
#include <string>

#include "base/host/unix_socket.h"

namespace redoubt::boot {

namespace {

constexpr size_t kMostBytes = 16 * 1024;

template <typename Message>
Result<Message> Parse(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) return Errno(EBADMSG);
  return message;
}

}  // namespace

Result<void> ControlSocket::SendBytes(const std::string& bytes) {
  // An empty message would look like the end of the connection.
  if (bytes.empty() || bytes.size() > kMostBytes) return Errno(EMSGSIZE);
  return host::SendMessage(socket_.get(), std::as_bytes(std::span(bytes)));
}

Result<std::string> ControlSocket::ReceiveBytes() {
  std::string buffer(kMostBytes, '\0');
  host::ReceivedMessage message =
      TRY(host::ReceiveMessage(socket_.get(), std::as_writable_bytes(std::span(buffer)), 0));
  if (message.size == 0) return Errno(EPIPE);
  buffer.resize(message.size);
  return buffer;
}

Result<ControlRequest> ControlSocket::ReceiveRequest() {
  std::string bytes = TRY(ReceiveBytes());
  return Parse<ControlRequest>(bytes);
}

Result<ControlEvent> ControlSocket::ReceiveEvent() {
  std::string bytes = TRY(ReceiveBytes());
  return Parse<ControlEvent>(bytes);
}

}  // namespace redoubt::boot
