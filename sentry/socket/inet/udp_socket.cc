// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/udp_socket.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <linux/udp.h>
#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "abi/linux/time.h"
#include "sentry/socket/inet/control.h"

namespace redoubt::inet {

using sockets::ReceiveRequest;
using sockets::ReceiveResult;
using sockets::SendRequest;

namespace {

constexpr size_t kDefaultBuffer = 212992;  // net.core.{r,w}mem_default.

template <typename T>
Result<T> Value(std::span<const std::byte> data) {
  T value;
  if (data.size() < sizeof(value)) return Errno(EINVAL);
  std::memcpy(&value, data.data(), sizeof(value));
  return value;
}

Result<void> ReadIpControl(int type, std::span<const std::byte> data, DatagramSettings& settings) {
  switch (type) {
    case IP_PKTINFO: {
      const auto info = TRY(Value<abi::InPacketInfo>(data));
      settings.interface_index = info.interface_index;
      const IpAddress source = IpAddress::V4(ntohl(info.specific_destination));
      if (!source.IsUnspecified()) settings.source = source;
      return {};
    }
    case IP_TTL: {
      const int32_t ttl = TRY(Value<int32_t>(data));
      if (ttl < 1 || ttl > 255) return Errno(EINVAL);
      settings.ttl = static_cast<uint8_t>(ttl);
      return {};
    }
    case IP_TOS: {
      const bool byte = data.size() == 1;
      const int32_t tos = byte ? static_cast<int32_t>(data[0]) : TRY(Value<int32_t>(data));
      if (tos < 0 || tos > 255) return Errno(EINVAL);
      settings.tos = static_cast<uint8_t>(tos);
      return {};
    }
    default:
      return Errno(EINVAL);
  }
}

Result<void> ReadIp6Control(int type, std::span<const std::byte> data, DatagramSettings& settings) {
  switch (type) {
    case IPV6_PKTINFO: {
      const auto info = TRY(Value<abi::In6PacketInfo>(data));
      settings.interface_index = info.interface_index;
      const IpAddress source =
          IpAddress::FromBytes(std::as_bytes(std::span(info.address)))->Unmapped();
      if (!source.IsUnspecified()) settings.source = source;
      return {};
    }
    case IPV6_HOPLIMIT:
    case IPV6_TCLASS: {
      const int32_t value = TRY(Value<int32_t>(data));
      if (value < -1 || value > 255) return Errno(EINVAL);
      if (value == -1) return {};
      (type == IPV6_TCLASS ? settings.tos : settings.ttl) = static_cast<uint8_t>(value);
      return {};
    }
    case IPV6_DONTFRAG:
      return {};
    default:
      return Errno(EINVAL);
  }
}

void PutV4Control(const Datagram& datagram, const IpOptions& options, std::vector<std::byte>& out) {
  const uint32_t to = htonl(datagram.destination.address.v4_host_order());
  if (options.Get(IpOption::kPacketInfo)) {
    const bool own = !datagram.destination.address.IsMulticast() &&
                     !datagram.destination.address.IsLimitedBroadcast();
    const uint32_t specific = own ? to : htonl(datagram.source.address.v4_host_order());
    PutControlValue(out, SOL_IP, IP_PKTINFO,
                    abi::InPacketInfo{datagram.interface_index, specific, to});
  }
  if (options.Get(IpOption::kReceiveTtl)) {
    PutControlValue(out, SOL_IP, IP_TTL, int32_t{datagram.ttl});
  }
  if (options.Get(IpOption::kReceiveTos)) PutControlValue(out, SOL_IP, IP_TOS, datagram.tos);
  if (options.Get(IpOption::kReceiveOriginalAddress)) {
    const SocketAddress name = ToSocketAddress(AF_INET, datagram.destination);
    PutControl(out, SOL_IP, IP_RECVORIGDSTADDR, name.bytes());
  }
}

void PutV6Control(const Datagram& datagram, const IpOptions& options, std::vector<std::byte>& out) {
  const bool v4 = datagram.destination.address.is_v4();
  if (options.Get(IpOption::k6ReceivePacketInfo)) {
    abi::In6PacketInfo info;
    const IpAddress to = datagram.destination.address.Mapped();
    std::memcpy(info.address, to.bytes().data(), sizeof(info.address));
    info.interface_index = datagram.interface_index;
    PutControlValue(out, SOL_IPV6, IPV6_PKTINFO, info);
  }
  if (v4) return PutV4Control(datagram, options, out);
  if (options.Get(IpOption::k6ReceiveHopLimit)) {
    PutControlValue(out, SOL_IPV6, IPV6_HOPLIMIT, int32_t{datagram.ttl});
  }
  if (options.Get(IpOption::k6ReceiveTrafficClass)) {
    PutControlValue(out, SOL_IPV6, IPV6_TCLASS, int32_t{datagram.tos});
  }
  if (options.Get(IpOption::k6ReceiveOriginalAddress)) {
    const SocketAddress name = ToSocketAddress(AF_INET6, datagram.destination);
    PutControl(out, SOL_IPV6, IPV6_ORIGDSTADDR, name.bytes());
  }
}

}  // namespace

UdpSocket::UdpSocket(RefPtr<UdpEndpoint> endpoint, int protocol, uint32_t flags,
                     const vfs::Caller& caller)
    : InetSocket(endpoint, SOCK_DGRAM, protocol, flags, caller), udp_(std::move(endpoint)) {
  SetDefaultBuffers(kDefaultBuffer, kDefaultBuffer);
}

UdpSocket::~UdpSocket() { udp_->Close(); }

Result<void> UdpSocket::Connect(const vfs::Caller& caller, const SocketAddress& address) {
  return udp_->Connect(address, HasOption(SO_BROADCAST));
}

Result<void> UdpSocket::ReadControl(std::span<const std::byte> messages,
                                    DatagramSettings& settings) const {
  return ForEachControl(messages,
                        [&](int level, int type, std::span<const std::byte> data) -> Result<void> {
                          if (level == IPPROTO_UDP && type == UDP_SEGMENT) {
                            settings.segment = TRY(Value<uint16_t>(data));
                            return {};
                          }
                          if (level == SOL_IP) return ReadIpControl(type, data, settings);
                          if (level == SOL_IPV6 && family() == AF_INET6)
                            return ReadIp6Control(type, data, settings);
                          return {};
                        });
}

Result<size_t> UdpSocket::SendMessage(SendRequest& request) {
  // udpv6_sendmsg() does not look at the flag.
  if ((request.flags & MSG_OOB) != 0 && family() == AF_INET) return Errno(EOPNOTSUPP);
  DatagramSettings settings;
  settings.may_broadcast = HasOption(SO_BROADCAST);
  settings.segment = segment_.load(std::memory_order_relaxed);
  TRY(ReadControl(request.control.other, settings));
  const bool more = corked_.load(std::memory_order_relaxed) || (request.flags & MSG_MORE) != 0;
  return udp_->Send(request.data, request.address, settings, more);
}

void UdpSocket::PutControl(const Datagram& datagram, std::vector<std::byte>& out) const {
  if (HasOption(SO_TIMESTAMPNS)) {
    PutControlValue(out, SOL_SOCKET, SO_TIMESTAMPNS, abi::FromNanoseconds(datagram.received_ns));
  } else if (HasOption(SO_TIMESTAMP)) {
    PutControlValue(out, SOL_SOCKET, SO_TIMESTAMP,
                    abi::TimevalFromNanoseconds(datagram.received_ns));
  }
  const IpOptions& options = static_cast<const UdpEndpoint&>(*udp_).options();
  if (&options == &IpOptions::Defaults()) return;
  if (family() == AF_INET6) {
    PutV6Control(datagram, options, out);
  } else {
    PutV4Control(datagram, options, out);
  }
}

Result<ReceiveResult> UdpSocket::ReceiveMessage(const ReceiveRequest& request) {
  if ((request.flags & MSG_ERRQUEUE) != 0) return udp_->ReceiveError(request);
  if ((request.flags & MSG_OOB) != 0) return Errno(EOPNOTSUPP);
  const std::optional<Datagram> datagram = TRY(udp_->Receive((request.flags & MSG_PEEK) != 0));
  ReceiveResult result;
  if (!datagram) return result;
  result.full_length = datagram->data.size();
  result.bytes = std::min(datagram->data.size(), request.buffer.size());
  std::copy_n(datagram->data.begin(), result.bytes, request.buffer.begin());
  if (result.bytes < result.full_length) result.flags |= MSG_TRUNC;
  InetName source = datagram->source;
  source.scope = static_cast<uint32_t>(datagram->interface_index);
  result.address = ToSocketAddress(family(), source);
  if (request.want_control) PutControl(*datagram, result.control.other);
  return result;
}

Result<void> UdpSocket::Shutdown(sockets::ShutdownHow how) {
  return udp_->Shutdown(how != sockets::ShutdownHow::kWrite, how != sockets::ShutdownHow::kRead);
}

std::optional<uint32_t> UdpSocket::PathMtu() {
  if (!udp_->IsConnected()) return std::nullopt;
  const auto loopback = udp_->network().FindInterface(net::kLoopbackIndex);
  return loopback ? loopback->mtu : 65536;
}

Result<void> UdpSocket::SetUdpOption(int name, std::span<const std::byte> value) {
  const int32_t number = TRY(ToInt(value));
  switch (name) {
    case UDP_CORK:
      corked_ = number != 0;
      return number != 0 ? Result<void>() : udp_->SendPending();
    case UDP_SEGMENT:
      if (number < 0 || number > UINT16_MAX) return Errno(EINVAL);
      segment_ = static_cast<uint16_t>(number);
      return {};
    case UDP_GRO:
      coalesces_ = number != 0;
      return {};
    case UDP_NO_CHECK6_TX:
    case UDP_NO_CHECK6_RX:
      return {};
    default:
      return Errno(ENOPROTOOPT);
  }
}

Result<std::vector<std::byte>> UdpSocket::GetUdpOption(int name) const {
  switch (name) {
    case UDP_CORK:
      return ToBytes(int32_t{corked_});
    case UDP_SEGMENT:
      return ToBytes(int32_t{segment_});
    case UDP_GRO:
      return ToBytes(int32_t{coalesces_});
    case UDP_ENCAP:
    case UDP_NO_CHECK6_TX:
    case UDP_NO_CHECK6_RX:
      return ToBytes(int32_t{0});
    default:
      return Errno(ENOPROTOOPT);
  }
}

Result<std::vector<std::byte>> UdpSocket::GetOption(int level, int name, size_t length) {
  if (level == IPPROTO_UDP && protocol() == IPPROTO_UDP) return GetUdpOption(name);
  return InetSocket::GetOption(level, name, length);
}

Result<void> UdpSocket::SetOption(const vfs::Caller& caller, int level, int name,
                                  std::span<const std::byte> value) {
  if (level == IPPROTO_UDP && protocol() == IPPROTO_UDP) return SetUdpOption(name, value);
  TRY(InetSocket::SetOption(caller, level, name, value));
  if (level == SOL_SOCKET && (name == SO_RCVBUF || name == SO_RCVBUFFORCE)) {
    udp_->SetReceiveBuffer(receive_buffer());
  }
  return {};
}

Result<uint64_t> UdpSocket::Ioctl(const vfs::IoctlRequest& request) {
  switch (request.command) {
    case SIOCINQ:
      return GiveInt(request, static_cast<int32_t>(udp_->FirstSize()));
    case SIOCOUTQ:
      return GiveInt(request, 0);
    default:
      return Socket::Ioctl(request);
  }
}

}  // namespace redoubt::inet
