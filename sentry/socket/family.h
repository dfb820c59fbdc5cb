// SPDX-License-Identifier: Apache-2.0
//
// The registry of address families: socket(2) and socketpair(2) start here.
//
//   RegisterFamily(AF_UNIX, std::make_unique<UnixFamily>());            // At boot.
//   RefPtr<Socket> s = TRY(CreateSocket(caller, family, type, protocol));
// A family decides about types and protocols; an unknown one is EAFNOSUPPORT. Loopback, host
// passthrough and the own network stack will be providers of AF_INET and AF_INET6 here.
#ifndef SENTRY_SOCKET_FAMILY_H_
#define SENTRY_SOCKET_FAMILY_H_

#include <memory>
#include <utility>

#include "sentry/socket/socket.h"

namespace redoubt::sockets {

using SocketPair = std::pair<RefPtr<Socket>, RefPtr<Socket>>;

class SocketProvider {
 public:
  virtual ~SocketProvider() = default;
  // `type` without SOCK_NONBLOCK and SOCK_CLOEXEC; `flags` has O_NONBLOCK or not.
  // ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPROTOTYPE, EPERM as the family's manual page says.
  virtual Result<RefPtr<Socket>> Create(const vfs::Caller& caller, int type, int protocol,
                                        uint32_t flags) = 0;
  virtual Result<SocketPair> CreatePair(const vfs::Caller& caller, int type, int protocol,
                                        uint32_t flags) {
    return Errno(EOPNOTSUPP);
  }
};

// At boot, before the first socket. Replaces an earlier one.
void RegisterFamily(int family, std::unique_ptr<SocketProvider> provider);

// socket(2), socketpair(2) with `type` as the guest gave it. EINVAL for unknown flags in it.
Result<RefPtr<Socket>> CreateSocket(const vfs::Caller& caller, int family, int type, int protocol);
Result<SocketPair> CreateSocketPair(const vfs::Caller& caller, int family, int type, int protocol);

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_FAMILY_H_
