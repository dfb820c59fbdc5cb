// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/inet.h"

#include <linux/capability.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "sentry/socket/family.h"
#include "sentry/socket/inet/tcp_socket.h"
#include "sentry/socket/inet/tcp_timers.h"
#include "sentry/socket/inet/udp_socket.h"

namespace redoubt::inet {

namespace {

using sockets::Socket;

constexpr int kProtocolLimit = IPPROTO_MPTCP + 1;  // IPPROTO_MAX.

class InetFamily : public sockets::SocketProvider {
 public:
  explicit InetFamily(int family) : family_(family) {}

  // inet_create(), inet6_create().
  Result<RefPtr<Socket>> Create(const vfs::Caller& caller, int type, int protocol,
                                uint32_t flags) override {
    if (protocol < 0 || protocol >= kProtocolLimit) return Errno(EINVAL);
    switch (type) {
      case SOCK_STREAM:
        if (protocol != 0 && protocol != IPPROTO_TCP) return Errno(EPROTONOSUPPORT);
        return RefPtr<Socket>(
            MakeRef<TcpSocket>(MakeRef<TcpEndpoint>(Network(caller), family_), flags, caller));
      case SOCK_DGRAM:
        return CreateDatagram(caller, protocol, flags);
      case SOCK_RAW:
        if (protocol == 0) return Errno(EPROTONOSUPPORT);
        if (!caller.HasCapability(CAP_NET_RAW)) return Errno(EPERM);
        return Errno(EPROTONOSUPPORT);  // No raw packets yet.
      default:
        return Errno(ESOCKTNOSUPPORT);
    }
  }

 private:
  static RefPtr<net::NetworkNamespace> Network(const vfs::Caller& caller) {
    return RefPtr<net::NetworkNamespace>(&net::NamespaceOf(caller));
  }

  Result<RefPtr<Socket>> CreateDatagram(const vfs::Caller& caller, int protocol, uint32_t flags) {
    const int echo = family_ == AF_INET ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
    if (protocol == 0) protocol = IPPROTO_UDP;
    if (protocol != IPPROTO_UDP && protocol != echo) return Errno(EPROTONOSUPPORT);
    if (protocol == echo && !MayEcho(caller)) return Errno(EACCES);
    auto endpoint = MakeRef<UdpEndpoint>(Network(caller), family_, protocol);
    return RefPtr<Socket>(MakeRef<UdpSocket>(std::move(endpoint), protocol, flags, caller));
  }

  // ping_init_sock().
  static bool MayEcho(const vfs::Caller& caller) {
    const net::Settings& settings = net::NamespaceOf(caller).settings();
    const int64_t first = settings.Get(net::Setting::kPingGroupRange, 0);
    const int64_t last = settings.Get(net::Setting::kPingGroupRange, 1);
    const auto inside = [&](uint32_t group) { return group >= first && group <= last; };
    return inside(caller.gid) || std::any_of(caller.groups.begin(), caller.groups.end(), inside);
  }

  const int family_;
};

}  // namespace

void RegisterInetFamilies() {
  sockets::RegisterFamily(AF_INET, std::make_unique<InetFamily>(AF_INET));
  sockets::RegisterFamily(AF_INET6, std::make_unique<InetFamily>(AF_INET6));
}

void StartTimers(time::TimerQueue& queue) { TcpTimers::Get().Start(queue); }

}  // namespace redoubt::inet
