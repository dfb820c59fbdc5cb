// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/route/route_protocol.h"

#include <array>

namespace redoubt::netlink {

namespace {

struct Entry {
  uint16_t type;
  Result<void> (*handler)(Request& request);
};

constexpr Entry kHandlers[] = {
    {RTM_NEWLINK, &NewLink},
    {RTM_DELLINK, &DeleteLink},
    {RTM_GETLINK, &GetLink},
    {RTM_SETLINK, &SetLink},
    {RTM_NEWADDR, &NewAddress},
    {RTM_DELADDR, &DeleteAddress},
    {RTM_GETADDR, &GetAddress},
    {RTM_NEWROUTE, &NewRoute},
    {RTM_DELROUTE, &DeleteRoute},
    {RTM_GETROUTE, &GetRoute},
    {RTM_NEWNEIGH, &NewNeighbour},
    {RTM_DELNEIGH, &DeleteNeighbour},
    {RTM_GETNEIGH, &GetNeighbour},
    {RTM_NEWRULE, &NewRule},
    {RTM_DELRULE, &DeleteRule},
    {RTM_GETRULE, &GetRule},
    {RTM_GETQDISC, &GetQueueDiscipline},
};

}  // namespace

// rtnetlink_rcv_msg().
Result<void> RouteProtocol::Handle(Request& request) {
  const uint16_t type = request.header.nlmsg_type;
  if (type > RTM_MAX) return Errno(EOPNOTSUPP);
  // Every message begins with a family.
  if (request.payload.size() < sizeof(rtgenmsg)) return {};
  constexpr int kKindMask = 3, kKindGet = 2;
  if ((type & kKindMask) != kKindGet && !request.HasCapability(CAP_NET_ADMIN)) return Errno(EPERM);
  for (const Entry& entry : kHandlers) {
    if (entry.type != type) continue;
    Result<void> result = entry.handler(request);
    bool dump = request.IsDump() && (type & kKindMask) == kKindGet;
    if (!result.ok() && dump && !request.answered_by_dump() && !result.Is(EBUSY)) {
      return request.FailDump(result.error());
    }
    return result;
  }
  return Errno(EOPNOTSUPP);
}

Result<std::optional<net::IpAddress>> GetIpAddress(const AttributeSet& attributes, size_t type,
                                                   int family) {
  if (!attributes.Has(type)) return std::optional<net::IpAddress>();
  ByteSpan bytes = attributes.Raw(type);
  size_t size = family == AF_INET6 ? 16 : 4;
  if (bytes.size() < size) return Errno(EINVAL);
  return net::IpAddress::FromBytes(bytes.first(size));
}

}  // namespace redoubt::netlink
