// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/unix/unix_socket.h"

#include <linux/sockios.h>

#include <cstring>
#include <utility>

namespace redoubt::sockets {

namespace {

template <typename T>
std::vector<std::byte> ToBytes(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

UnixSocket::UnixSocket(RefPtr<Endpoint> endpoint, uint32_t flags, const vfs::Caller& caller)
    : Socket(AF_UNIX, endpoint->type(), 0, flags, caller), endpoint_(std::move(endpoint)) {
  Result<vfs::Attributes> attributes = inode()->GetAttributes();
  if (attributes.ok()) endpoint_->inode_number() = attributes->inode_number;
  endpoint_->owner() = caller.uid;
}

UnixSocket::~UnixSocket() {
  endpoint_->Close();
  CollectGarbageAfterClose();
}

Result<void> UnixSocket::Bind(const vfs::Caller& caller, const SocketAddress& address) {
  return endpoint_->Bind(caller, address);
}

Result<void> UnixSocket::Connect(const vfs::Caller& caller, const SocketAddress& address) {
  return endpoint_->Connect(caller, address);
}

Result<void> UnixSocket::Listen(const vfs::Caller& caller, int backlog) {
  return endpoint_->Listen(caller, backlog);
}

Result<RefPtr<Socket>> UnixSocket::Accept(const vfs::Caller& caller, uint32_t flags) {
  RefPtr<Endpoint> accepted = TRY(endpoint_->Accept());
  return RefPtr<Socket>(MakeRef<UnixSocket>(std::move(accepted), flags, caller));
}

Result<size_t> UnixSocket::SendMessage(SendRequest& request) {
  return endpoint_->Send(request, send_buffer());
}

Result<ReceiveResult> UnixSocket::ReceiveMessage(const ReceiveRequest& request) {
  ReceiveResult result = TRY(endpoint_->Receive(request));
  if (!request.want_control && !result.control.rights.empty()) {
    result.flags |= MSG_CTRUNC;
    result.control.rights.clear();
  }
  if (!request.want_control) result.control.credentials.reset();
  return result;
}

Result<void> UnixSocket::Shutdown(ShutdownHow how) {
  endpoint_->Shutdown(how != ShutdownHow::kWrite, how != ShutdownHow::kRead);
  return {};
}

Result<SocketAddress> UnixSocket::GetName() { return endpoint_->Name(); }

Result<SocketAddress> UnixSocket::GetPeerName() { return endpoint_->PeerName(); }

Result<std::vector<std::byte>> UnixSocket::GetOption(int level, int name, size_t length) {
  if (level == SOL_SOCKET && name == SO_PASSCRED) {
    return ToBytes(int32_t{endpoint_->pass_credentials().load(std::memory_order_relaxed)});
  }
  if (level == SOL_SOCKET && name == SO_PEERCRED) return ToBytes(endpoint_->PeerCredentials());
  if (level != SOL_SOCKET) return Errno(EOPNOTSUPP);
  return Socket::GetOption(level, name, length);
}

Result<void> UnixSocket::SetOption(const vfs::Caller& caller, int level, int name,
                                   std::span<const std::byte> value) {
  if (level == SOL_SOCKET && name == SO_PASSCRED) {
    int32_t on = 0;
    if (value.size() < sizeof(on)) return Errno(EINVAL);
    std::memcpy(&on, value.data(), sizeof(on));
    endpoint_->pass_credentials().store(on != 0, std::memory_order_relaxed);
    return {};
  }
  if (level != SOL_SOCKET) return Errno(EOPNOTSUPP);
  return Socket::SetOption(caller, level, name, value);
}

size_t UnixSocket::atomic_size() const {
  // A message must be seen whole; nothing larger can be sent.
  return type() == SOCK_STREAM ? 0 : send_buffer();
}

EventMask UnixSocket::Readiness(EventMask mask) {
  return endpoint_->Readiness(mask, send_buffer());
}

Result<uint64_t> UnixSocket::Ioctl(const vfs::IoctlRequest& request) {
  int32_t bytes = 0;
  if (request.command == SIOCINQ) {
    if (endpoint_->IsListening()) return Errno(EINVAL);
    bytes = static_cast<int32_t>(endpoint_->BytesReadable());
  } else if (request.command == SIOCOUTQ) {
    bytes = static_cast<int32_t>(endpoint_->in_flight());
  } else {
    return Socket::Ioctl(request);
  }
  TRY(request.memory.CopyOut(request.argument, std::as_bytes(std::span(&bytes, 1))));
  return uint64_t{0};
}

}  // namespace redoubt::sockets
