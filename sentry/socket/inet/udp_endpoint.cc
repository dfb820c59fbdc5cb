// SPDX-License-Identifier: Apache-2.0
//
// Names and states. Data are in udp_transfer.cc, groups in multicast.cc.
#include "sentry/socket/inet/udp_endpoint.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <utility>

#include "sentry/socket/inet/tcp_limits.h"

namespace redoubt::inet {

namespace {

constexpr uint8_t kEstablished = 1;  // TCP_ESTABLISHED, which stands for "connected" here too.
constexpr uint8_t kClosed = 7;

}  // namespace

UdpEndpoint::UdpEndpoint(RefPtr<net::NetworkNamespace> network, int family, int protocol)
    : InetEndpoint(network, family,
                   protocol == IPPROTO_UDP ? network->Extension<InetStack>().udp()
                                           : network->Extension<InetStack>().echo()),
      protocol_(protocol) {}

UdpEndpoint::~UdpEndpoint() = default;

// ip4_datagram_connect(), ip6_datagram_connect().
Result<void> UdpEndpoint::Connect(const SocketAddress& address, bool may_broadcast) {
  if (address.length() < sizeof(uint16_t)) return Errno(EINVAL);
  if (address.family() == AF_UNSPEC) return Disconnect();
  {
    MutexLock lock(&mu_);
    TRY(BindAutomaticallyLocked());
  }
  // A v6 socket takes v4 addresses here, unlike for TCP.
  const int family = address.family() == AF_INET ? AF_INET : family_;
  const InetName name = TRY(ParseInetName(family, address));
  if (name.address.is_v4() && family_ == AF_INET6 && v6_only()) {
    return Errno(address.family() == AF_INET ? EAFNOSUPPORT : ENETUNREACH);
  }
  DatagramSettings settings;
  settings.may_broadcast = may_broadcast;
  const Target target = TRY(Resolve(name, settings));
  {
    MutexLock lock(&mu_);
    remote_ = target.name;
    if (local_.address.IsUnspecified()) local_.address = target.source;
    connected_ = true;
    ports_.Update(binding_, [&](Binding& binding) {
      binding.remote = target.name;
      if (binding.address.IsUnspecified()) binding.address = target.source;
    });
  }
  wait_queue_.Wake(EPOLLOUT | EPOLLWRNORM);
  return {};
}

// __udp_disconnect().
Result<void> UdpEndpoint::Disconnect() {
  MutexLock lock(&mu_);
  connected_ = false;
  remote_ = {IpAddress::Any(family_), 0, 0};
  const bool keep_address = address_is_users_;
  ports_.Update(binding_, [&](Binding& binding) {
    binding.remote = {};
    if (!keep_address) binding.address = IpAddress::Any(family_);
  });
  if (!keep_address) local_.address = IpAddress::Any(family_);
  if (!port_is_users_) {
    ports_.Unbind(binding_);
    local_.port = 0;
  }
  return {};
}

Result<void> UdpEndpoint::Shutdown(bool read, bool write) {
  bool connected = false;
  {
    MutexLock lock(&mu_);
    shutdown_ |= (read ? kReceiving : 0) | (write ? kSending : 0);
    connected = connected_;
  }
  // Linux does both: it shuts down, and complains.
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLHUP | EPOLLRDHUP);
  return connected ? Result<void>() : Errno(ENOTCONN);
}

void UdpEndpoint::Close() {
  std::list<Datagram> dropped;
  std::vector<GroupName> groups;
  {
    MutexLock lock(&mu_);
    ports_.Unbind(binding_);
    dropped.swap(queue_);
    groups.swap(groups_);
    charged_ = 0;
  }
  for (const GroupName& group : groups) stack().LeaveGroup(group);
}

// datagram_poll().
EventMask UdpEndpoint::Readiness(EventMask mask) {
  MutexLock lock(&mu_);
  EventMask events = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
  if (error_ != 0 || (errors_ && !errors_->empty())) events |= EPOLLERR;
  if ((shutdown_ & kReceiving) != 0) events |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
  if (shutdown_ == (kReceiving | kSending)) events |= EPOLLHUP;
  if (!queue_.empty()) events |= EPOLLIN | EPOLLRDNORM;
  return events & (mask | EPOLLERR | EPOLLHUP);
}

Result<SocketAddress> UdpEndpoint::PeerName() {
  MutexLock lock(&mu_);
  if (!connected_ || (remote_.port == 0 && !IsEcho())) return Errno(ENOTCONN);
  return ToSocketAddress(family_, remote_);
}

bool UdpEndpoint::IsConnected() {
  MutexLock lock(&mu_);
  return connected_;
}

int UdpEndpoint::TakeError() {
  MutexLock lock(&mu_);
  return std::exchange(error_, 0);
}

size_t UdpEndpoint::FirstSize() {
  MutexLock lock(&mu_);
  return queue_.empty() ? 0 : queue_.front().data.size();
}

bool UdpEndpoint::Describe(net::InetSocketInfo& info, bool with_details) {
  MutexLock lock(&mu_);
  if (binding_.port == 0) return false;
  FillInfoLocked(info);
  info.protocol = protocol_;
  info.state = connected_ ? kEstablished : kClosed;
  info.shutdown = shutdown_;
  info.receive_queue = static_cast<uint32_t>(charged_);
  info.drops = drops_.load(std::memory_order_relaxed);
  return true;
}

}  // namespace redoubt::inet
