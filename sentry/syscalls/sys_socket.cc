// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "sentry/socket/family.h"
#include "sentry/syscalls/install_file.h"
#include "sentry/syscalls/socket_wait.h"
#include "sentry/syscalls/user_sockaddr.h"

namespace redoubt::syscalls {

namespace {

using sockets::Socket;
using sockets::SocketAddress;

constexpr int32_t kOptionLimit = 64 * 1024;

bool ClosesOnExec(int32_t type) { return (type & SOCK_CLOEXEC) != 0; }

// A blocking connect(2) of a family that says EINPROGRESS: asks again until it is over.
// `now`: EINPROGRESS, or EALREADY when an earlier call started it.
Result<void> WaitForConnection(Task& task, Socket& socket, const SocketAddress& address,
                               Errno now) {
  vfs::Caller caller = task.MakeCaller();
  Result<void> result =
      WaitForSocket(task, socket, kWritableEvents, socket.send_timeout(), false, [&] {
        Result<void> connected = socket.Connect(caller, address);
        return connected.Is(EALREADY) ? Result<void>(Errno(EAGAIN)) : connected;
      });
  // Time is over: it goes on in the background.
  if (result.Is(EAGAIN)) return now;
  return result;
}

SyscallResult Accept(Task& task, int fd, uint64_t address, uint64_t length, int32_t flags) {
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) return Errno(EINVAL);
  SocketRef listener = TRY(GetSocket(task, fd));
  vfs::Caller caller = task.MakeCaller();
  // Before a connection is taken: it would be lost.
  TRY(task.fd_table()->CheckRoom(task.FdLimit()));
  uint32_t status = (flags & SOCK_NONBLOCK) != 0 ? uint32_t{O_NONBLOCK} : 0;
  RefPtr<Socket> accepted =
      TRY(WaitForSocket(task, *listener, kReadableEvents, listener->receive_timeout(),
                        listener->nonblocking(), [&] { return listener->Accept(caller, status); }));
  if (address != 0) {
    Result<SocketAddress> peer = accepted->AcceptedPeerName();
    if (!peer.ok()) return Errno(ECONNABORTED);
    TRY(WriteSocketAddressAndLength(task, *peer, address, length));
  }
  return InstallResult(task, std::move(accepted), ClosesOnExec(flags));
}

SyscallResult GiveName(Task& task, const Result<SocketAddress>& name, UserAddress address,
                       UserInOut<int32_t> length) {
  if (!name.ok()) return name.error();
  if (!address) return Errno(EFAULT);
  TRY(WriteSocketAddressAndLength(task, *name, address.address(), length.address()));
  return 0UL;
}

}  // namespace

SyscallResult SysSocket(Task& task, int32_t family, int32_t type, int32_t protocol) {
  RefPtr<Socket> socket = TRY(sockets::CreateSocket(task.MakeCaller(), family, type, protocol));
  return InstallResult(task, std::move(socket), ClosesOnExec(type));
}

SyscallResult SysSocketpair(Task& task, int32_t family, int32_t type, int32_t protocol,
                            UserOut<DescriptorPair> fds) {
  // The internet families have sockets, but never pairs.
  if (family == AF_INET || family == AF_INET6) return Errno(EOPNOTSUPP);
  sockets::SocketPair pair =
      TRY(sockets::CreateSocketPair(task.MakeCaller(), family, type, protocol));
  return InstallPair(task, std::move(pair.first), std::move(pair.second), ClosesOnExec(type), fds);
}

SyscallResult SysBind(Task& task, FdNumber fd, UserAddress user, int32_t length) {
  SocketRef socket = TRY(GetSocket(task, fd));
  SocketAddress address = TRY(ReadSocketAddress(task, user.address(), length));
  TRY(socket->Bind(task.MakeCaller(), address));
  return 0UL;
}

SyscallResult SysConnect(Task& task, FdNumber fd, UserAddress user, int32_t length) {
  SocketRef socket = TRY(GetSocket(task, fd));
  SocketAddress address = TRY(ReadSocketAddress(task, user.address(), length));
  vfs::Caller caller = task.MakeCaller();
  bool nonblocking = socket->nonblocking();
  Result<void> connected =
      WaitForSocket(task, *socket, kWritableEvents, socket->send_timeout(), nonblocking,
                    [&] { return socket->Connect(caller, address); });
  bool under_way = connected.Is(EINPROGRESS) || connected.Is(EALREADY);
  if (under_way && !nonblocking) {
    connected = WaitForConnection(task, *socket, address, connected.error());
  }
  TRY(connected);
  return 0UL;
}

SyscallResult SysListen(Task& task, FdNumber fd, int32_t backlog) {
  SocketRef socket = TRY(GetSocket(task, fd));
  // A negative backlog is a huge one.
  bool huge = backlog < 0 || backlog > abi::kSocketBacklogMaximum;
  TRY(socket->Listen(task.MakeCaller(), huge ? abi::kSocketBacklogMaximum : backlog));
  return 0UL;
}

SyscallResult SysAccept(Task& task, FdNumber fd, UserAddress address, UserInOut<int32_t> length) {
  return Accept(task, fd, address.address(), length.address(), 0);
}

SyscallResult SysAccept4(Task& task, FdNumber fd, UserAddress address, UserInOut<int32_t> length,
                         int32_t flags) {
  return Accept(task, fd, address.address(), length.address(), flags);
}

SyscallResult SysGetsockname(Task& task, FdNumber fd, UserAddress address,
                             UserInOut<int32_t> length) {
  SocketRef socket = TRY(GetSocket(task, fd));
  return GiveName(task, socket->GetName(), address, length);
}

SyscallResult SysGetpeername(Task& task, FdNumber fd, UserAddress address,
                             UserInOut<int32_t> length) {
  SocketRef socket = TRY(GetSocket(task, fd));
  return GiveName(task, socket->GetPeerName(), address, length);
}

SyscallResult SysShutdown(Task& task, FdNumber fd, int32_t how) {
  SocketRef socket = TRY(GetSocket(task, fd));
  if (how < SHUT_RD || how > SHUT_RDWR) return Errno(EINVAL);
  TRY(socket->Shutdown(static_cast<sockets::ShutdownHow>(how)));
  return 0UL;
}

SyscallResult SysSetsockopt(Task& task, FdNumber fd, int32_t level, int32_t name, UserBytesIn user,
                            int32_t length) {
  if (length < 0) return Errno(EINVAL);
  SocketRef socket = TRY(GetSocket(task, fd));
  if (length > kOptionLimit) return Errno(ENOMEM);
  std::vector<std::byte> value(static_cast<size_t>(length));
  TRY(task.CopyIn(user.address(), value));
  TRY(socket->SetOption(task.MakeCaller(), level, name, value));
  return 0UL;
}

SyscallResult SysGetsockopt(Task& task, FdNumber fd, int32_t level, int32_t name, UserAddress user,
                            UserInOut<int32_t> user_length) {
  SocketRef socket = TRY(GetSocket(task, fd));
  int32_t length = TRY(user_length.Read(task));
  if (length < 0) return Errno(EINVAL);
  size_t capacity = static_cast<size_t>(std::min(length, kOptionLimit));
  std::vector<std::byte> value = TRY(socket->GetOption(level, name, capacity));
  size_t fits = std::min(capacity, value.size());
  TRY(task.CopyOut(user.address(), std::span<const std::byte>(value).first(fits)));
  TRY(user_length.Write(task, static_cast<int32_t>(fits)));
  return 0UL;
}

}  // namespace redoubt::syscalls
