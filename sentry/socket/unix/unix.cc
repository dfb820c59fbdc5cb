// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/unix/unix.h"

#include <utility>

#include "sentry/socket/unix/unix_socket.h"

namespace redoubt::sockets {

namespace {

class UnixFamily : public SocketProvider {
 public:
  Result<RefPtr<Socket>> Create(const vfs::Caller& caller, int type, int protocol,
                                uint32_t flags) override {
    type = TRY(Check(type, protocol));
    return RefPtr<Socket>(MakeRef<UnixSocket>(MakeRef<Endpoint>(type), flags, caller));
  }

  Result<SocketPair> CreatePair(const vfs::Caller& caller, int type, int protocol,
                                uint32_t flags) override {
    type = TRY(Check(type, protocol));
    auto a = MakeRef<Endpoint>(type), b = MakeRef<Endpoint>(type);
    a->SetOwnCredentials(caller);
    b->SetOwnCredentials(caller);
    Endpoint::Join(a, b);
    return SocketPair(MakeRef<UnixSocket>(std::move(a), flags, caller),
                      MakeRef<UnixSocket>(std::move(b), flags, caller));
  }

 private:
  static Result<int> Check(int type, int protocol) {
    if (protocol != 0 && protocol != AF_UNIX) return Errno(EPROTONOSUPPORT);
    switch (type) {
      case SOCK_STREAM:
      case SOCK_DGRAM:
      case SOCK_SEQPACKET:
        return type;
      case SOCK_RAW:  // Linux has always taken it for datagrams.
        return int{SOCK_DGRAM};
      default:
        return Errno(ESOCKTNOSUPPORT);
    }
  }
};

}  // namespace

void RegisterUnixFamily() { RegisterFamily(AF_UNIX, std::make_unique<UnixFamily>()); }

}  // namespace redoubt::sockets
