// SPDX-License-Identifier: Apache-2.0
//
// Multicast's options of SOL_IP and SOL_IPV6.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "sentry/socket/inet/udp_socket.h"

namespace redoubt::inet {

namespace {

constexpr size_t kShortRequest = 8;  // struct ip_mreq.

IpAddress FromV4(uint32_t network_order) { return IpAddress::V4(ntohl(network_order)); }

// struct in_addr, ip_mreq or ip_mreqn, whichever it is long enough for.
Result<abi::MulticastRequest> ReadRequest(std::span<const std::byte> value, bool address_alone) {
  abi::MulticastRequest request;
  if (value.size() >= sizeof(request)) {
    std::memcpy(&request, value.data(), sizeof(request));
  } else if (value.size() >= kShortRequest) {
    std::memcpy(&request.group, value.data(), sizeof(request.group));
    std::memcpy(&request.local, value.data() + sizeof(request.group), sizeof(request.local));
  } else if (address_alone && value.size() >= sizeof(uint32_t)) {
    std::memcpy(&request.local, value.data(), sizeof(uint32_t));
  } else {
    return Errno(EINVAL);
  }
  return request;
}

// struct group_req: an interface and a sockaddr.
struct GroupRequest {
  int interface_index = 0;
  IpAddress group;
};
Result<GroupRequest> ReadGroupRequest(int family, std::span<const std::byte> value) {
  if (value.size() < sizeof(group_req)) return Errno(EINVAL);
  uint32_t index = 0;
  std::memcpy(&index, value.data(), sizeof(index));
  const auto address = TRY(SocketAddress::From(
      value.subspan(offsetof(group_req, gr_group), abi::kMaximumAddressLength)));
  if (address.family() != family) return Errno(EADDRNOTAVAIL);
  const InetName name = TRY(ParseInetName(family, address));
  return GroupRequest{static_cast<int>(index), name.address};
}

}  // namespace

Result<void> UdpSocket::SetGroupOption(const vfs::Caller& caller, int level, int name,
                                       std::span<const std::byte> value) {
  const int family = level == SOL_IP ? AF_INET : AF_INET6;
  if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP) {
    const GroupRequest request = TRY(ReadGroupRequest(family, value));
    const IpAddress any = IpAddress::Any(family);
    if (name == MCAST_JOIN_GROUP) {
      return udp_->JoinGroup(request.group, any, request.interface_index);
    }
    return udp_->LeaveGroup(request.group, any, request.interface_index);
  }
  if (level == SOL_IP) {
    switch (name) {
      case IP_ADD_MEMBERSHIP:
      case IP_DROP_MEMBERSHIP: {
        const auto request = TRY(ReadRequest(value, false));
        const IpAddress group = FromV4(request.group), local = FromV4(request.local);
        if (name == IP_ADD_MEMBERSHIP) {
          return udp_->JoinGroup(group, local, request.interface_index);
        }
        return udp_->LeaveGroup(group, local, request.interface_index);
      }
      case IP_MULTICAST_IF: {
        const auto request = TRY(ReadRequest(value, true));
        return udp_->SetMulticastInterface(AF_INET,
                                           {request.interface_index, FromV4(request.local)});
      }
      default:
        return Errno(ENOPROTOOPT);
    }
  }
  switch (name) {
    case IPV6_ADD_MEMBERSHIP:
    case IPV6_DROP_MEMBERSHIP: {
      abi::MulticastRequest6 request;
      if (value.size() < sizeof(request)) return Errno(EINVAL);
      std::memcpy(&request, value.data(), sizeof(request));
      const IpAddress group = *IpAddress::FromBytes(std::as_bytes(std::span(request.group)));
      const IpAddress any = IpAddress::Any(AF_INET6);
      if (name == IPV6_ADD_MEMBERSHIP) {
        return udp_->JoinGroup(group, any, request.interface_index);
      }
      return udp_->LeaveGroup(group, any, request.interface_index);
    }
    case IPV6_MULTICAST_IF:
      return udp_->SetMulticastInterface(AF_INET6, {TRY(ToInt(value)), IpAddress::Any(AF_INET6)});
    default:
      return Errno(ENOPROTOOPT);
  }
}

Result<std::vector<std::byte>> UdpSocket::GetGroupOption(int level, int name) {
  if (level == SOL_IP && name == IP_MULTICAST_IF) {
    return ToBytes(htonl(udp_->GetMulticastInterface(AF_INET).address.v4_host_order()));
  }
  if (level == SOL_IPV6 && name == IPV6_MULTICAST_IF) {
    return ToBytes(int32_t{udp_->GetMulticastInterface(AF_INET6).index});
  }
  return Errno(ENOPROTOOPT);
}

}  // namespace redoubt::inet
