// SPDX-License-Identifier: Apache-2.0
//
// Interfaces over rtnetlink (Linux: net/core/rtnetlink.c).
#include <linux/if_link.h>
#include <linux/veth.h>

#include <algorithm>

#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

namespace {

using net::Interface;
using InterfaceChange = net::NetworkNamespace::InterfaceChange;

// Attributes by which an interface would go to another namespace, or join another device.
constexpr uint16_t kUnsupported[] = {IFLA_NET_NS_PID, IFLA_NET_NS_FD,   IFLA_TARGET_NETNSID,
                                     IFLA_MAP,        IFLA_VFINFO_LIST, IFLA_XDP,
                                     IFLA_PROTO_DOWN};

struct LinkRequest {
  ifinfomsg header{};
  AttributeSet attributes;
  std::optional<std::string> name;
};

// `rtgenmsg` alone, as old programs send it for dumps, is an empty request.
Result<LinkRequest> Parse(const Request& request) {
  LinkRequest link;
  std::optional<ifinfomsg> header = ReadStruct<ifinfomsg>(request.payload);
  if (!header) {
    if (!request.IsDump() || request.strict) return Errno(EINVAL);
    return link;
  }
  link.header = *header;
  link.attributes = TRY(AttributeSet::Parse(After<ifinfomsg>(request.payload), IFLA_MAX));
  // What more is wanted changes nothing, but its length is checked.
  TRY(link.attributes.Get<uint32_t>(IFLA_EXT_MASK));
  link.name = TRY(link.attributes.GetString(IFLA_IFNAME, IFNAMSIZ - 1));
  if (!link.name) link.name = TRY(link.attributes.GetString(IFLA_ALT_IFNAME, 127));
  if (link.name && link.name->empty()) link.name.reset();
  return link;
}

std::optional<Interface> Find(const Request& request, const LinkRequest& link) {
  if (link.header.ifi_index > 0) return request.network.FindInterface(link.header.ifi_index);
  return link.name ? request.network.FindInterface(*link.name) : std::nullopt;
}

// IFLA_LINKINFO's kind, and its data.
struct LinkInfo {
  std::string kind;
  ByteSpan data;
};
Result<LinkInfo> ParseInfo(const AttributeSet& attributes) {
  LinkInfo info;
  if (!attributes.Has(IFLA_LINKINFO)) return info;
  AttributeSet nested = TRY(AttributeSet::Parse(attributes.Raw(IFLA_LINKINFO), IFLA_INFO_MAX));
  info.kind = TRY(nested.GetString(IFLA_INFO_KIND, 55)).value_or("");
  info.data = nested.Raw(IFLA_INFO_DATA);
  return info;
}

Result<std::optional<net::HardwareAddress>> GetHardwareAddress(const AttributeSet& attributes,
                                                               uint16_t type) {
  if (!attributes.Has(type)) return std::optional<net::HardwareAddress>();
  if (attributes.Raw(type).size() < sizeof(net::HardwareAddress)) return Errno(EINVAL);
  return attributes.Get<net::HardwareAddress>(type);
}

// do_setlink(), as far as there is something to set.
Result<void> Change(Request& request, const LinkRequest& link, const Interface& interface) {
  const AttributeSet& attributes = link.attributes;
  for (uint16_t type : kUnsupported) {
    if (attributes.Has(type)) return Errno(EOPNOTSUPP);
  }
  uint32_t controller = TRY(attributes.Get<uint32_t>(IFLA_MASTER)).value_or(0);
  if (controller != 0) return Errno(EOPNOTSUPP);
  InterfaceChange change;
  change.mtu = TRY(attributes.Get<uint32_t>(IFLA_MTU));
  change.tx_queue_length = TRY(attributes.Get<uint32_t>(IFLA_TXQLEN));
  change.group = TRY(attributes.Get<uint32_t>(IFLA_GROUP));
  change.alias = TRY(attributes.GetString(IFLA_IFALIAS, 255));
  change.address = TRY(GetHardwareAddress(attributes, IFLA_ADDRESS));
  change.broadcast = TRY(GetHardwareAddress(attributes, IFLA_BROADCAST));
  if (std::optional<uint8_t> carrier = TRY(attributes.Get<uint8_t>(IFLA_CARRIER)); carrier) {
    if (interface.kind != "dummy") return Errno(EOPNOTSUPP);
    change.carrier = *carrier != 0;
  }
  // A name besides an index is a new one.
  if (link.header.ifi_index > 0 && attributes.Has(IFLA_IFNAME)) change.name = link.name;
  if (link.header.ifi_flags != 0 || link.header.ifi_change != 0) {
    change.flags = link.header.ifi_flags;
    change.flags_mask = link.header.ifi_change != 0 ? link.header.ifi_change : ~uint32_t{0};
  }
  return request.network.ChangeInterface(interface.index, change);
}

Result<Interface> NewInterface(const LinkRequest& link, const std::string& kind) {
  Interface made;
  made.kind = kind;
  made.index = link.header.ifi_index;
  made.name = link.name.value_or(kind + "%d");
  made.minimum_mtu = kind == "veth" ? 68 : 0;
  made.maximum_mtu = kind == "veth" ? 65535 : 0;
  made.flags = kind == "dummy" ? IFF_BROADCAST | IFF_NOARP : IFF_BROADCAST | IFF_MULTICAST;
  uint32_t mask = link.header.ifi_change != 0 ? link.header.ifi_change : ~uint32_t{0};
  made.flags |= link.header.ifi_flags & mask & IFF_UP;
  made.mtu = TRY(link.attributes.Get<uint32_t>(IFLA_MTU)).value_or(1500);
  bool large = made.maximum_mtu != 0 && made.mtu > made.maximum_mtu;
  if (made.mtu < made.minimum_mtu || large || made.mtu > INT32_MAX) return Errno(EINVAL);
  made.tx_queue_length = TRY(link.attributes.Get<uint32_t>(IFLA_TXQLEN)).value_or(1000);
  made.group = TRY(link.attributes.Get<uint32_t>(IFLA_GROUP)).value_or(0);
  std::optional<net::HardwareAddress> address =
      TRY(GetHardwareAddress(link.attributes, IFLA_ADDRESS));
  if (address && ((*address)[0] & 1) != 0) return Errno(EADDRNOTAVAIL);
  made.address = address.value_or(net::HardwareAddress{});
  return made;
}

// VETH_INFO_PEER has a whole request for the other end, or is not there.
Result<Interface> NewPeer(ByteSpan data) {
  AttributeSet nested = TRY(AttributeSet::Parse(data, VETH_INFO_MAX));
  LinkRequest peer;
  if (nested.Has(VETH_INFO_PEER)) {
    std::optional<ifinfomsg> header = ReadStruct<ifinfomsg>(nested.Raw(VETH_INFO_PEER));
    if (!header) return Errno(EINVAL);
    peer.header = *header;
    peer.attributes =
        TRY(AttributeSet::Parse(After<ifinfomsg>(nested.Raw(VETH_INFO_PEER)), IFLA_MAX));
    peer.name = TRY(peer.attributes.GetString(IFLA_IFNAME, IFNAMSIZ - 1));
    for (uint16_t type : kUnsupported) {
      if (peer.attributes.Has(type)) return Errno(EOPNOTSUPP);
    }
  }
  return NewInterface(peer, "veth");
}

Result<void> Create(Request& request, const LinkRequest& link, const LinkInfo& info) {
  for (uint16_t type : kUnsupported) {
    if (link.attributes.Has(type)) return Errno(EOPNOTSUPP);
  }
  if (link.header.ifi_index < 0) return Errno(EINVAL);
  if (info.kind == "dummy") {
    Interface made = TRY(NewInterface(link, info.kind));
    TRY(request.network.AddInterface(std::move(made)));
    return {};
  }
  if (info.kind == "veth") {
    Interface made = TRY(NewInterface(link, info.kind));
    Interface peer = TRY(NewPeer(info.data));
    TRY(request.network.AddInterfacePair(std::move(made), std::move(peer)));
    return {};
  }
  return request.Refuse(EOPNOTSUPP, "Unknown device type");
}

}  // namespace

Result<void> GetLink(Request& request) {
  LinkRequest link = TRY(Parse(request));
  if (request.IsDump()) {
    LinkInfo info = TRY(ParseInfo(link.attributes));
    bool has_controller = TRY(link.attributes.Get<uint32_t>(IFLA_MASTER)).value_or(0) != 0;
    std::vector<Interface> interfaces = request.network.Interfaces();
    if (ReadStruct<rtgenmsg>(request.payload)->rtgen_family == AF_INET6) {
      return DumpAll(request, RTM_NEWLINK, std::move(interfaces), &FillInet6Link);
    }
    std::erase_if(interfaces, [&](const Interface& interface) {
      return has_controller || (!info.kind.empty() && interface.kind != info.kind);
    });
    return DumpAll(request, RTM_NEWLINK, std::move(interfaces),
                   [](MessageBuilder& message, const Interface& interface) {
                     FillLink(message, interface, 0);
                   });
  }
  if (link.header.ifi_index <= 0 && !link.name) return Errno(EINVAL);
  std::optional<Interface> found = Find(request, link);
  if (!found) return Errno(ENODEV);
  MessageBuilder message = request.NewMessage(RTM_NEWLINK);
  FillLink(message, *found, 0);
  request.Reply(std::move(message).Finish());
  return {};
}

Result<void> NewLink(Request& request) {
  LinkRequest link = TRY(Parse(request));
  LinkInfo info = TRY(ParseInfo(link.attributes));
  std::optional<Interface> found = Find(request, link);
  if (found) {
    if (request.Has(NLM_F_EXCL)) return Errno(EEXIST);
    if (request.Has(NLM_F_REPLACE)) return Errno(EOPNOTSUPP);
    if (!info.kind.empty() && info.kind != found->kind) return Errno(EOPNOTSUPP);
    return Change(request, link, *found);
  }
  if (!request.Has(NLM_F_CREATE)) return Errno(ENODEV);
  return Create(request, link, info);
}

Result<void> SetLink(Request& request) {
  LinkRequest link = TRY(Parse(request));
  if (link.header.ifi_index <= 0 && !link.name) return Errno(EINVAL);
  std::optional<Interface> found = Find(request, link);
  if (!found) return Errno(ENODEV);
  return Change(request, link, *found);
}

Result<void> DeleteLink(Request& request) {
  LinkRequest link = TRY(Parse(request));
  if (link.header.ifi_index <= 0 && !link.name) return Errno(EINVAL);
  std::optional<Interface> found = Find(request, link);
  if (!found) return Errno(ENODEV);
  return request.network.RemoveInterface(found->index);
}

}  // namespace redoubt::netlink
