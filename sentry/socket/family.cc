// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/family.h"

#include <array>

namespace redoubt::sockets {

namespace {

constexpr int kFamilies = 64;  // AF_MAX is 46 today.
constexpr int kTypeMask = 0xf;
constexpr int kTypeMaximum = 11;  // SOCK_MAX.

std::array<std::unique_ptr<SocketProvider>, kFamilies>& Providers() {
  static auto* providers = new std::array<std::unique_ptr<SocketProvider>, kFamilies>;
  return *providers;
}

struct Request {
  SocketProvider* provider = nullptr;
  int type = 0;
  uint32_t flags = 0;
};

Result<Request> Parse(int family, int type) {
  if ((type & ~(kTypeMask | SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return Errno(EINVAL);
  if (family < 0 || family >= kFamilies) return Errno(EAFNOSUPPORT);
  if ((type & kTypeMask) >= kTypeMaximum) return Errno(EINVAL);
  SocketProvider* provider = Providers()[family].get();
  if (provider == nullptr) return Errno(EAFNOSUPPORT);
  return Request{provider, type & kTypeMask,
                 (type & SOCK_NONBLOCK) != 0 ? uint32_t{O_NONBLOCK} : 0};
}

}  // namespace

void RegisterFamily(int family, std::unique_ptr<SocketProvider> provider) {
  CHECK(family >= 0 && family < kFamilies);
  Providers()[family] = std::move(provider);
}

Result<RefPtr<Socket>> CreateSocket(const vfs::Caller& caller, int family, int type, int protocol) {
  const Request request = TRY(Parse(family, type));
  return request.provider->Create(caller, request.type, protocol, request.flags);
}

Result<SocketPair> CreateSocketPair(const vfs::Caller& caller, int family, int type, int protocol) {
  const Request request = TRY(Parse(family, type));
  return request.provider->CreatePair(caller, request.type, protocol, request.flags);
}

}  // namespace redoubt::sockets
