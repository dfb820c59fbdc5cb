// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_receive.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "sentry/syscalls/control_message.h"
#include "sentry/syscalls/socket_wait.h"
#include "sentry/syscalls/user_sockaddr.h"

namespace redoubt::syscalls {

namespace {

using sockets::ControlData;
using sockets::ReceiveResult;
using sockets::Socket;
using sockets::SocketAddress;

// What a call received, its data already in the guest's buffers.
struct Received {
  uint64_t length = 0;  // The call's result.
  int flags = 0;
  SocketAddress address;
  ControlData control;
};

struct ReceiveOptions {
  uint32_t flags = 0;
  bool want_control = false;
};

// MSG_WAITALL: whether a stream goes on to fill the rest.
bool GoesOn(const Socket& socket, const ReceiveOptions& options, const ReceiveResult& last) {
  return (options.flags & MSG_WAITALL) != 0 && (options.flags & MSG_PEEK) == 0 &&
         socket.type() == SOCK_STREAM && last.may_continue;
}

Result<ReceiveResult> ReceivePiece(Task& task, Socket& socket, std::span<std::byte> buffer,
                                   const ReceiveOptions& options) {
  // Nobody waits for errors.
  bool nonblocking =
      socket.nonblocking() || (options.flags & (MSG_DONTWAIT | MSG_ERRQUEUE)) != 0;
  return WaitForSocket(task, socket, kReadableEvents, socket.receive_timeout(), nonblocking, [&] {
    return socket.ReceiveMessage({.buffer = buffer,
                                  .flags = static_cast<int>(options.flags),
                                  .want_control = options.want_control});
  });
}

Result<Received> Receive(Task& task, Socket& socket, UserSegments& to,
                         const ReceiveOptions& options) {
  Received received;
  bool first = true;
  while (true) {
    auto buffer = task.IoBuffer(std::min<uint64_t>(to.remaining(), Task::kIoBufferSize));
    Result<ReceiveResult> result = ReceivePiece(task, socket, buffer, options);
    if (!result.ok()) {
      if (first) return result.error();
      break;
    }
    Result<size_t> copied = to.CopyOut(task, buffer.first(result->bytes));
    bool taken = (options.flags & MSG_PEEK) == 0;
    if (taken) socket.Unread(buffer.first(result->bytes).subspan(copied.value_or(0)));
    if (!copied.ok() && received.length == 0) return copied.error();
    received.length += copied.value_or(0);
    received.flags |= result->flags;
    if (first) {
      received.address = result->address;
      received.control = std::move(result->control);
    }
    // MSG_TRUNC asks how long the datagram was, or how much of a stream was thrown away.
    if ((options.flags & MSG_TRUNC) != 0) received.length += result->full_length - result->bytes;
    first = false;
    if (!copied.ok() || *copied < result->bytes) break;
    if (to.remaining() == 0 || result->bytes == 0 || !GoesOn(socket, options, *result)) break;
  }
  return received;
}

// ___sys_recvmsg(): the fields of the guest's header that the call sets are written one by one.
SyscallResult ReceiveByHeader(Task& task, Socket& socket, uint64_t address, uint32_t flags) {
  abi::MessageHeader header = TRY(ReadMessageHeader(task, address));
  UserSegments to = TRY(SegmentsOf(task, header));
  bool want_control = header.control != 0 && header.control_length != 0;
  Received received =
      TRY(Receive(task, socket, to, {.flags = flags, .want_control = want_control}));
  if (header.name != 0) {
    TRY(WriteSocketAddress(task, received.address, header.name, header.name_length));
    TRY(task.CopyOut(address + offsetof(abi::MessageHeader, name_length),
                     static_cast<int32_t>(received.address.length())));
  }
  ControlOut control;
  if (want_control) {
    control = TRY(WriteControl(task, std::move(received.control), header.control,
                               header.control_length, (flags & MSG_CMSG_CLOEXEC) != 0));
  }
  uint32_t shown = static_cast<uint32_t>(received.flags) | (flags & MSG_CMSG_CLOEXEC);
  if (control.truncated) shown |= MSG_CTRUNC;
  TRY(task.CopyOut(address + offsetof(abi::MessageHeader, flags), shown));
  TRY(task.CopyOut(address + offsetof(abi::MessageHeader, control_length), control.bytes));
  return received.length;
}

struct ManyRequest {
  uint64_t messages = 0;
  uint32_t count = 0;
  uint32_t flags = 0;
  Deadline deadline;
};

// do_recvmmsg(). The time-out is looked at only between messages, as on Linux.
SyscallResult ReceiveMany(Task& task, Socket& socket, ManyRequest request) {
  uint32_t done = 0;
  while (done < std::min(request.count, kMostMessages)) {
    uint64_t at = request.messages + done * sizeof(ManyMessageHeader);
    SyscallResult got = ReceiveByHeader(task, socket, at, request.flags & ~MSG_WAITFORONE);
    Result<void> told;
    if (got.ok()) {
      told = task.CopyOut(at + offsetof(ManyMessageHeader, length), static_cast<uint32_t>(*got));
    }
    if (!got.ok() && done == 0) return got;
    if (!told.ok() && done == 0) return told.error();
    if (!got.ok() || !told.ok()) break;
    ++done;
    if ((request.flags & MSG_WAITFORONE) != 0) request.flags |= MSG_DONTWAIT;
    if (request.deadline && TimeLeft(request.deadline) == 0) break;
  }
  return uint64_t{done};
}

}  // namespace

SyscallResult SysRecvfrom(Task& task, FdNumber fd, UserBytesOut buffer, uint64_t count,
                          uint32_t flags, UserAddress address, UserInOut<int32_t> length) {
  UserSegments to = TRY(UserSegments::FromBuffer(buffer.address(), count));
  SocketRef socket = TRY(GetSocket(task, fd));
  Received received = TRY(Receive(task, *socket, to, {.flags = flags & ~kCompatFlag}));
  TRY(WriteSocketAddressAndLength(task, received.address, address.address(), length.address()));
  return received.length;
}

SyscallResult SysRecvmsg(Task& task, FdNumber fd, UserInOut<abi::MessageHeader> message,
                         uint32_t flags) {
  if ((flags & kCompatFlag) != 0) return Errno(EINVAL);
  SocketRef socket = TRY(GetSocket(task, fd));
  return ReceiveByHeader(task, *socket, message.address(), flags);
}

SyscallResult SysRecvmmsg(Task& task, FdNumber fd, UserArrayInOut<ManyMessageHeader> messages,
                          uint32_t count, uint32_t flags, UserInOut<abi::Timespec> timeout) {
  if ((flags & kCompatFlag) != 0) return Errno(EINVAL);
  ManyRequest request{
      .messages = messages.address(), .count = count, .flags = flags, .deadline = kNoDeadline};
  if (timeout) {
    abi::Timespec limit = TRY(timeout.Read(task));
    if (!limit.IsValid()) return Errno(EINVAL);
    request.deadline = DeadlineIn(abi::ToNanoseconds(limit));
  }
  SocketRef socket = TRY(GetSocket(task, fd));
  SyscallResult result = ReceiveMany(task, *socket, request);
  if (timeout && result.ok()) {
    TRY(timeout.Write(task, abi::FromNanoseconds(TimeLeft(request.deadline))));
  }
  return result;
}

}  // namespace redoubt::syscalls
