// SPDX-License-Identifier: Apache-2.0
//
// Neighbours over rtnetlink (Linux: net/core/neighbour.c).
#include <linux/neighbour.h>

#include <algorithm>

#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

namespace {

using net::IpAddress;
using net::Neighbour;

struct NeighbourRequest {
  ndmsg header{};
  AttributeSet attributes;
  IpAddress address;
};

Result<NeighbourRequest> Parse(Request& request) {
  NeighbourRequest wanted;
  std::optional<ndmsg> header = ReadStruct<ndmsg>(request.payload);
  if (!header) return Errno(EINVAL);
  wanted.header = *header;
  wanted.attributes = TRY(AttributeSet::Parse(After<ndmsg>(request.payload), NDA_MAX));
  if (header->ndm_family != AF_INET && header->ndm_family != AF_INET6) return Errno(EAFNOSUPPORT);
  std::optional<IpAddress> address =
      TRY(GetIpAddress(wanted.attributes, NDA_DST, header->ndm_family));
  if (!address) return request.Refuse(EINVAL, "Network address not specified");
  wanted.address = *address;
  if (header->ndm_ifindex != 0 && !request.network.FindInterface(header->ndm_ifindex)) {
    return Errno(ENODEV);
  }
  return wanted;
}

}  // namespace

void FillNeighbour(MessageBuilder& message, const Neighbour& neighbour) {
  message.PutHeader(ndmsg{
      .ndm_family = static_cast<uint8_t>(neighbour.address.family()),
      .ndm_pad1 = 0,
      .ndm_pad2 = 0,
      .ndm_ifindex = neighbour.interface_index,
      .ndm_state = neighbour.is_proxy ? uint16_t{NUD_NONE} : neighbour.state,
      .ndm_flags = static_cast<uint8_t>(neighbour.flags | (neighbour.is_proxy ? NTF_PROXY : 0)),
      .ndm_type = neighbour.type});
  message.PutBytes(NDA_DST, neighbour.address.bytes());
  if (neighbour.is_proxy) return;
  if (neighbour.has_hardware_address) message.Put(NDA_LLADDR, neighbour.hardware_address);
  message.Put(NDA_CACHEINFO, nda_cacheinfo{});
  message.Put(NDA_PROBES, uint32_t{0});
  if (neighbour.protocol != 0) message.Put(NDA_PROTOCOL, neighbour.protocol);
}

Result<void> GetNeighbour(Request& request) {
  if (!request.IsDump()) {
    NeighbourRequest wanted = TRY(Parse(request));
    bool proxy = (wanted.header.ndm_flags & NTF_PROXY) != 0;
    for (const Neighbour& neighbour : request.network.Neighbours()) {
      if (neighbour.address != wanted.address || neighbour.is_proxy != proxy ||
          neighbour.interface_index != wanted.header.ndm_ifindex) {
        continue;
      }
      MessageBuilder message = request.NewMessage(RTM_NEWNEIGH);
      FillNeighbour(message, neighbour);
      request.Reply(std::move(message).Finish());
      return {};
    }
    return Errno(ENOENT);
  }
  const int family = ReadStruct<rtgenmsg>(request.payload)->rtgen_family;
  std::optional<ndmsg> header = ReadStruct<ndmsg>(request.payload);
  bool proxies = header && header->ndm_flags == NTF_PROXY;
  int index = 0;
  if (header) {
    AttributeSet attributes = TRY(AttributeSet::Parse(After<ndmsg>(request.payload), NDA_MAX));
    index = TRY(attributes.Get<int32_t>(NDA_IFINDEX)).value_or(0);
  }
  std::vector<Neighbour> neighbours = request.network.Neighbours();
  std::erase_if(neighbours, [&](const Neighbour& neighbour) {
    bool other_family = (family == AF_INET && !neighbour.address.is_v4()) ||
                        (family == AF_INET6 && !neighbour.address.is_v6());
    return other_family || neighbour.is_proxy != proxies ||
           (index != 0 && neighbour.interface_index != index);
  });
  return DumpAll(request, RTM_NEWNEIGH, std::move(neighbours), &FillNeighbour);
}

Result<void> NewNeighbour(Request& request) {
  NeighbourRequest wanted = TRY(Parse(request));
  Neighbour neighbour;
  neighbour.interface_index = wanted.header.ndm_ifindex;
  neighbour.address = wanted.address;
  neighbour.is_proxy = (wanted.header.ndm_flags & NTF_PROXY) != 0;
  neighbour.state = wanted.header.ndm_state;
  neighbour.flags = wanted.header.ndm_flags & (NTF_ROUTER | NTF_USE | NTF_EXT_LEARNED);
  neighbour.protocol = TRY(wanted.attributes.Get<uint8_t>(NDA_PROTOCOL)).value_or(0);
  if (neighbour.interface_index == 0) return Errno(EINVAL);
  if (wanted.attributes.Has(NDA_LLADDR)) {
    if (wanted.attributes.Raw(NDA_LLADDR).size() < sizeof(neighbour.hardware_address)) {
      return request.Refuse(EINVAL, "Invalid link address");
    }
    neighbour.hardware_address = *TRY(wanted.attributes.Get<net::HardwareAddress>(NDA_LLADDR));
    neighbour.has_hardware_address = true;
  }
  bool exclusive = request.Has(NLM_F_EXCL);
  if (request.Has(NLM_F_CREATE) && !exclusive && !request.Has(NLM_F_REPLACE)) {
    // An existing entry that must not be replaced keeps its address.
    exclusive = false;
  }
  return request.network.AddNeighbour(neighbour, request.Has(NLM_F_CREATE), exclusive);
}

Result<void> DeleteNeighbour(Request& request) {
  NeighbourRequest wanted = TRY(Parse(request));
  if (wanted.header.ndm_ifindex == 0) return Errno(EINVAL);
  return request.network.RemoveNeighbour(wanted.header.ndm_ifindex, wanted.address,
                                         (wanted.header.ndm_flags & NTF_PROXY) != 0);
}

}  // namespace redoubt::netlink
