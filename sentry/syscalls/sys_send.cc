// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_send.h"

#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "sentry/syscalls/control_message.h"
#include "sentry/syscalls/socket_wait.h"
#include "sentry/syscalls/transfer.h"
#include "sentry/syscalls/user_sockaddr.h"

namespace redoubt::syscalls {

namespace {

using sockets::ControlData;
using sockets::SendRequest;
using sockets::Socket;
using sockets::SocketAddress;

struct Message {
  std::optional<SocketAddress> address;
  ControlData control;
  uint32_t flags = 0;
};

struct Sent {
  uint64_t bytes = 0;
  int error = 0;
};

// Sends one piece; a stream goes on until all of it went.
Sent SendPiece(Task& task, Socket& socket, std::span<const std::byte> data, Message& message,
               const vfs::Caller& caller) {
  bool nonblocking = socket.nonblocking() || (message.flags & MSG_DONTWAIT) != 0;
  Sent sent;
  do {
    SendRequest request{.data = data.subspan(sent.bytes),
                        .address = message.address ? &*message.address : nullptr,
                        .control = std::move(message.control),
                        .flags = static_cast<int>(message.flags),
                        .caller = caller};
    Result<size_t> result = WaitForSocket(task, socket, kWritableEvents, socket.send_timeout(),
                                          nonblocking, [&] { return socket.SendMessage(request); });
    message.control = {};
    if (!result.ok()) {
      sent.error = result.error().value();
      break;
    }
    sent.bytes += *result;
    if (*result == 0) break;
  } while (socket.type() == SOCK_STREAM && sent.bytes < data.size());
  return sent;
}

// What was sent, or the error when nothing was. A datagram must fit the buffer.
SyscallResult Send(Task& task, Socket& socket, UserSegments& from, Message& message) {
  bool stream = socket.type() == SOCK_STREAM;
  if (!stream && from.total() > Task::kIoBufferSize) return Errno(EMSGSIZE);
  vfs::Caller caller = task.MakeCaller();
  uint64_t done = 0;
  int error = 0;
  do {
    auto buffer = task.IoBuffer(std::min<uint64_t>(from.remaining(), Task::kIoBufferSize));
    Result<size_t> copied = from.CopyIn(task, buffer);
    if (!copied.ok() || (!stream && *copied < buffer.size())) {
      error = EFAULT;
      break;
    }
    Sent sent = SendPiece(task, socket, buffer.first(*copied), message, caller);
    done += sent.bytes;
    error = sent.error;
    if (error != 0 || sent.bytes < buffer.size()) break;
  } while (from.remaining() > 0);
  if (done > 0 || error == 0) return done;
  // Only streams signal.
  if (error == EPIPE && stream && (message.flags & MSG_NOSIGNAL) == 0) SignalSelf(task, SIGPIPE);
  return Errno(error);
}

// ___sys_sendmsg().
SyscallResult SendByHeader(Task& task, Socket& socket, uint64_t address, uint32_t flags) {
  abi::MessageHeader header = TRY(ReadMessageHeader(task, address));
  Message message;
  message.flags = flags;
  if (header.name_length > 0) {
    message.address = TRY(ReadSocketAddress(task, header.name, header.name_length));
  }
  UserSegments from = TRY(SegmentsOf(task, header));
  if (header.control != 0) {
    message.control = TRY(ReadControl(task, header.control, header.control_length));
  }
  return Send(task, socket, from, message);
}

}  // namespace

SyscallResult SysSendto(Task& task, FdNumber fd, UserBytesIn data, uint64_t count, uint32_t flags,
                        UserAddress address, int32_t length) {
  UserSegments from = TRY(UserSegments::FromBuffer(data.address(), count));
  SocketRef socket = TRY(GetSocket(task, fd));
  Message message;
  message.flags = flags & ~kCompatFlag;
  if (address) message.address = TRY(ReadSocketAddress(task, address.address(), length));
  return Send(task, *socket, from, message);
}

SyscallResult SysSendmsg(Task& task, FdNumber fd, UserIn<abi::MessageHeader> message,
                         uint32_t flags) {
  if ((flags & kCompatFlag) != 0) return Errno(EINVAL);
  SocketRef socket = TRY(GetSocket(task, fd));
  return SendByHeader(task, *socket, message.address(), flags);
}

SyscallResult SysSendmmsg(Task& task, FdNumber fd, UserArrayInOut<ManyMessageHeader> messages,
                          uint32_t count, uint32_t flags) {
  if ((flags & kCompatFlag) != 0) return Errno(EINVAL);
  SocketRef socket = TRY(GetSocket(task, fd));
  count = std::min(count, kMostMessages);
  uint32_t done = 0;
  while (done < count) {
    uint64_t at = messages.address() + done * sizeof(ManyMessageHeader);
    SyscallResult sent = SendByHeader(task, *socket, at, flags);
    Result<void> told;
    if (sent.ok()) {
      told = task.CopyOut(at + offsetof(ManyMessageHeader, length), static_cast<uint32_t>(*sent));
    }
    // An error is shown only when it comes first.
    if (!sent.ok() && done == 0) return sent;
    if (!told.ok() && done == 0) return told.error();
    if (!sent.ok() || !told.ok()) break;
    ++done;
  }
  return uint64_t{done};
}

}  // namespace redoubt::syscalls
