// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a socket: as BlockUntil, up to SO_RCVTIMEO or SO_SNDTIMEO (sock_intr_errno(): a call
// with a time-out gives EAGAIN when it is over, and EINTR, without a restart, for a signal).
//
//   sockets::Socket& socket = *found.socket;
//   TRY(WaitForSocket(task, socket, kWritableEvents, socket.send_timeout(), nonblocking,
//                     [&] { return socket.SendMessage(request); }));
#ifndef SENTRY_SYSCALLS_SOCKET_WAIT_H_
#define SENTRY_SYSCALLS_SOCKET_WAIT_H_

#include "sentry/kernel/restart.h"
#include "sentry/socket/socket.h"
#include "sentry/syscalls/blocking.h"
#include "sentry/syscalls/poll_set.h"

namespace redoubt::syscalls {

template <typename Operation>
auto WaitForSocket(kernel::Task& task, sockets::Socket& socket, EventMask events,
                   int64_t timeout_ns, bool nonblocking, Operation&& operation)
    -> decltype(operation()) {
  Deadline deadline = kNoDeadline;
  if (timeout_ns > 0 && !nonblocking) deadline = DeadlineIn(timeout_ns);
  auto result = BlockUntil(task, socket, events, deadline, nonblocking, operation);
  if (!deadline) return result;
  // The operation may say ETIMEDOUT too, of the connection.
  if (result.Is(ETIMEDOUT) && TimeLeft(deadline) == 0) return Errno(EAGAIN);
  if (result.Is(kernel::ERESTARTSYS)) return Errno(EINTR);
  return result;
}

// A descriptor's socket. EBADF, ENOTSOCK.
struct SocketRef {
  kernel::FileRef file;
  sockets::Socket* socket = nullptr;
  sockets::Socket* operator->() const { return socket; }
  sockets::Socket& operator*() const { return *socket; }
};
inline Result<SocketRef> GetSocket(kernel::Task& task, int fd) {
  SocketRef found;
  found.file = TRY(task.fd_table()->GetForIo(fd));
  found.socket = sockets::SocketOf(*found.file);
  if (found.socket == nullptr) return Errno(ENOTSOCK);
  return found;
}

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_SOCKET_WAIT_H_
