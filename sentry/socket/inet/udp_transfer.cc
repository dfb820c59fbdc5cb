// SPDX-License-Identifier: Apache-2.0
//
// Datagrams from socket to socket.
#include <linux/rtnetlink.h>
#include <time.h>

#include <linux/errqueue.h>

#include <algorithm>
#include <utility>

#include "sentry/socket/inet/tcp_limits.h"
#include "sentry/socket/inet/udp_endpoint.h"
#include "sentry/time/clock.h"

namespace redoubt::inet {

using net::Counter;

namespace {

constexpr size_t kLargestV4 = 65535 - 20 - 8;
constexpr size_t kLargestV6 = 65535 - 8;
constexpr size_t kMostSegments = 128;               // UDP_MAX_SEGMENTS.
constexpr uint32_t kPortUnreachable4 = 3 << 8 | 3;  // ICMP_DEST_UNREACH, ICMP_PORT_UNREACH.
constexpr uint32_t kPortUnreachable6 = 1 << 8 | 4;

size_t LargestTo(const IpAddress& address) { return address.is_v4() ? kLargestV4 : kLargestV6; }

}  // namespace

void UdpEndpoint::Count(const IpAddress& address, Counter v4, Counter v6) {
  network_->counters().Add(address.is_v4() ? v4 : v6);
}

// What udp_sendmsg() and udpv6_sendmsg() make of msg_name.
Result<InetName> UdpEndpoint::ParseDestination(const SocketAddress& address) {
  int family = family_;
  if (family_ == AF_INET6) {
    if (address.family() == AF_INET) family = AF_INET;
    if (address.family() != AF_INET && address.family() != AF_INET6) return Errno(EINVAL);
  }
  SocketAddress parsed = address;
  if (family_ == AF_INET && address.family() == AF_UNSPEC &&
      address.length() >= sizeof(abi::SockaddrIn)) {
    abi::SockaddrIn in;
    std::memcpy(&in, address.bytes().data(), sizeof(in));
    in.family = AF_INET;
    parsed = TRY(SocketAddress::From(std::as_bytes(std::span(&in, 1))));
  }
  const InetName name = TRY(ParseInetName(family, parsed));
  if (name.port == 0 && !IsEcho()) return Errno(EINVAL);
  if (name.address.is_v4() && family_ == AF_INET6 && v6_only()) return Errno(ENETUNREACH);
  return name;
}

Result<UdpEndpoint::Target> UdpEndpoint::Resolve(InetName name, const DatagramSettings& settings) {
  Target target;
  IpAddress source = IpAddress::Any(name.address.family());
  int device = settings.interface_index;
  {
    MutexLock lock(&mu_);
    if (device == 0) device = binding_.device;
    const MulticastInterface& multicast = name.address.is_v4() ? multicast4_ : multicast6_;
    if (name.address.IsMulticast()) {
      if (device == 0) device = multicast.index;
      if (!multicast.address.IsUnspecified()) source = multicast.address;
    }
    const bool usable = !binding_.address.IsUnspecified() && !local_.address.IsMulticast();
    if (usable && binding_.address.family() == name.address.family()) source = binding_.address;
    if (usable && binding_.address.family() != name.address.family()) return Errno(ENETUNREACH);
  }
  if (settings.source) source = *settings.source;
  const net::RouteAnswer route = TRY(RouteTo(name, source, device));
  if (route.type == RTN_BROADCAST && !settings.may_broadcast) return Errno(EACCES);
  const bool outside = route.type == RTN_UNICAST;
  if (outside) return Errno(EHOSTUNREACH);  // Nothing leads out of the sandbox yet.
  target.name = name;
  target.source = source.IsUnspecified() ? route.source : source;
  target.type = route.type;
  target.interface_index = route.interface_index;
  return target;
}

Result<UdpEndpoint::Target> UdpEndpoint::FindTarget(const SocketAddress* address,
                                                    const DatagramSettings& settings) {
  const bool named = address != nullptr && !(family_ == AF_INET6 && address->family() == AF_UNSPEC);
  if (named) return Resolve(TRY(ParseDestination(*address)), settings);
  InetName name;
  {
    MutexLock lock(&mu_);
    if (!connected_) return Errno(EDESTADDRREQ);
    name = remote_;
  }
  return Resolve(name, settings);
}

// sock_alloc_send_pskb()'s refusals.
Result<void> UdpEndpoint::CheckMaySend() {
  MutexLock lock(&mu_);
  if (error_ != 0) return Errno(std::exchange(error_, 0));
  if ((shutdown_ & kSending) != 0) return Errno(EPIPE);
  return {};
}

Result<size_t> UdpEndpoint::Send(std::span<const std::byte> data, const SocketAddress* address,
                                 const DatagramSettings& settings, bool more) {
  if (data.size() > 0xffff) return Errno(EMSGSIZE);
  {
    MutexLock lock(&mu_);
    TRY(BindAutomaticallyLocked());
    if (pending_target_) {
      if (pending_.size() + data.size() > LargestTo(pending_target_->name.address)) {
        return Errno(EMSGSIZE);
      }
      pending_.insert(pending_.end(), data.begin(), data.end());
    }
  }
  bool joined = false;
  {
    MutexLock lock(&mu_);
    joined = pending_target_.has_value();
  }
  if (joined) {
    if (!more) TRY(SendPending());
    return data.size();
  }
  const Target target = TRY(FindTarget(address, settings));
  const size_t largest = LargestTo(target.name.address);
  if (data.size() > largest) return Errno(EMSGSIZE);
  TRY(CheckMaySend());
  if (IsEcho()) return TransmitEcho(data, target, settings);
  if (!more) return Transmit(data, target, settings);
  MutexLock lock(&mu_);
  pending_.assign(data.begin(), data.end());
  pending_target_ = target;
  pending_settings_ = settings;
  return data.size();
}

Result<void> UdpEndpoint::SendPending() {
  std::vector<std::byte> data;
  std::optional<Target> target;
  DatagramSettings settings;
  {
    MutexLock lock(&mu_);
    data.swap(pending_);
    target.swap(pending_target_);
    settings = pending_settings_;
  }
  if (!target) return {};
  TRY(CheckMaySend());
  TRY(Transmit(data, *target, settings));
  return {};
}

// One datagram, or with UDP_SEGMENT as many as are in it.
Result<size_t> UdpEndpoint::Transmit(std::span<const std::byte> data, const Target& target,
                                     const DatagramSettings& settings) {
  const size_t segment = settings.segment == 0 ? data.size() : settings.segment;
  if (segment > 0 && data.size() > segment * kMostSegments) return Errno(EINVAL);
  const bool v4 = target.name.address.is_v4();
  const bool group = target.name.address.IsMulticast();
  const IpOption hops = v4 ? (group ? IpOption::kMulticastTtl : IpOption::kTtl)
                           : (group ? IpOption::k6MulticastHops : IpOption::k6UnicastHops);
  Datagram header;
  header.destination = target.name;
  header.interface_index = target.interface_index;
  header.ttl = settings.ttl.value_or(static_cast<uint8_t>(options().Get(hops)));
  header.tos = settings.tos.value_or(
      static_cast<uint8_t>(options().Get(v4 ? IpOption::kTos : IpOption::k6TrafficClass)));
  header.received_ns = time::Now(time::Clock::kRealtime);
  {
    MutexLock lock(&mu_);
    header.source = {target.source, local_.port, 0};
  }
  size_t sent = 0;
  do {
    const auto part = data.subspan(sent, std::min(segment, data.size() - sent));
    Datagram datagram = header;
    datagram.data.assign(part.begin(), part.end());
    TransmitOne(std::move(datagram), target);
    sent += part.size();
  } while (sent < data.size());
  return data.size();
}

void UdpEndpoint::TransmitOne(Datagram datagram, const Target& target) {
  Count(target.name.address, Counter::kUdpOutDatagrams, Counter::kUdp6OutDatagrams);
  network_->loopback_counters().CountLoopback(1, datagram.data.size() + 28);
  if (target.type == RTN_MULTICAST || target.type == RTN_BROADCAST) {
    Spread(datagram, target);
    return;
  }
  RefPtr<InetEndpoint> receiver = ports_.FindReceiver({.source = datagram.source,
                                                       .destination = datagram.destination,
                                                       .device = datagram.interface_index});
  if (!receiver) {
    Count(target.name.address, Counter::kUdpNoPorts, Counter::kUdp6NoPorts);
    NoteUnreachable(datagram);
    return;
  }
  static_cast<UdpEndpoint&>(*receiver).Deliver(std::move(datagram));
}

// To all who listen, ourselves too.
void UdpEndpoint::Spread(const Datagram& datagram, const Target& target) {
  const bool group = target.type == RTN_MULTICAST;
  if (group && !stack().IsJoined({target.name.address, target.interface_index})) return;
  const auto receivers = ports_.FindAllReceivers({.source = datagram.source,
                                                  .destination = datagram.destination,
                                                  .device = datagram.interface_index});
  for (const RefPtr<InetEndpoint>& receiver : receivers) {
    static_cast<UdpEndpoint&>(*receiver).Deliver(datagram);
  }
}

bool UdpEndpoint::ReceivesGroupLocked(const IpAddress& group, int interface_index) {
  const GroupName name{group, interface_index};
  if (std::find(groups_.begin(), groups_.end(), name) != groups_.end()) return true;
  const IpOption all = group.is_v4() ? IpOption::kMulticastAll : IpOption::k6MulticastAll;
  return options().Get(all) != 0;
}

void UdpEndpoint::Deliver(Datagram datagram) {
  std::list<Datagram> node;  // Made before the lock is taken.
  const IpAddress to = datagram.destination.address;
  const int interface_index = datagram.interface_index;
  node.push_back(std::move(datagram));
  bool full = false;
  {
    MutexLock lock(&mu_);
    if (to.IsMulticast() && !ReceivesGroupLocked(to, interface_index)) return;
    full = charged_ > receive_buffer_.load(std::memory_order_relaxed);
    if (!full) {
      charged_ += node.front().charge();
      queue_.splice(queue_.end(), node);
    }
  }
  if (full) {
    drops_.fetch_add(1, std::memory_order_relaxed);
    Count(to, Counter::kUdpRcvbufErrors, Counter::kUdp6RcvbufErrors);
    Count(to, Counter::kUdpInErrors, Counter::kUdp6InErrors);
    return;
  }
  Count(to, Counter::kUdpInDatagrams, Counter::kUdp6InDatagrams);
  wait_queue_.Wake(EPOLLIN | EPOLLRDNORM);
}

// __udp4_lib_err(): only a connected socket, or one that asked, hears of it.
void UdpEndpoint::NoteUnreachable(const Datagram& datagram) {
  const bool v4 = datagram.destination.address.is_v4();
  network_->counters().Add(v4 ? Counter::kIcmpInDestUnreachs : Counter::kIcmp6InDestUnreachs);
  const bool asked = options().Get(v4 ? IpOption::kReceiveError : IpOption::k6ReceiveError) != 0;
  {
    MutexLock lock(&mu_);
    if (!asked && !connected_) return;
    error_ = ECONNREFUSED;
    if (asked) {
      QueuedError queued;
      const uint32_t code = v4 ? kPortUnreachable4 : kPortUnreachable6;
      queued.error.error = ECONNREFUSED;
      queued.error.origin = v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
      queued.error.type = static_cast<uint8_t>(code >> 8);
      queued.error.code = static_cast<uint8_t>(code);
      queued.destination = datagram.destination;
      queued.offender = datagram.destination.address;
      queued.payload = datagram.data;
      QueueErrorLocked(std::move(queued));
    }
  }
  wait_queue_.Wake(EPOLLERR | EPOLLIN | EPOLLOUT);
}

// __skb_recv_udp(): a pending error comes before data.
Result<std::optional<Datagram>> UdpEndpoint::Receive(bool peek) {
  MutexLock lock(&mu_);
  if (error_ != 0) return Errno(std::exchange(error_, 0));
  if (queue_.empty()) {
    if ((shutdown_ & kReceiving) != 0) return std::optional<Datagram>();
    return Errno(EAGAIN);
  }
  if (peek) return std::optional<Datagram>(queue_.front());
  std::optional<Datagram> taken(std::move(queue_.front()));
  charged_ -= std::min(charged_, taken->charge());
  queue_.pop_front();
  return taken;
}

}  // namespace redoubt::inet
