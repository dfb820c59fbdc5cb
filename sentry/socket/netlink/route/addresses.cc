// SPDX-License-Identifier: Apache-2.0
//
// Addresses over rtnetlink (Linux: net/ipv4/devinet.c, net/ipv6/addrconf.c).
#include <linux/if_addr.h>
#include <time.h>

#include <algorithm>

#include "sentry/socket/netlink/route/route_protocol.h"

namespace redoubt::netlink {

namespace {

using net::InterfaceAddress;
using net::IpAddress;

constexpr size_t kProtocolAttribute = 11;  // IFA_PROTO.

int64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

struct AddressRequest {
  ifaddrmsg header{};
  AttributeSet attributes;
};

Result<AddressRequest> Parse(const Request& request) {
  std::optional<ifaddrmsg> header = ReadStruct<ifaddrmsg>(request.payload);
  if (!header) return Errno(EINVAL);
  AddressRequest wanted;
  wanted.header = *header;
  wanted.attributes =
      TRY(AttributeSet::Parse(After<ifaddrmsg>(request.payload), kProtocolAttribute));
  return wanted;
}

uint8_t ScopeOf(const IpAddress& address) {
  if (address.IsLoopback()) return RT_SCOPE_HOST;
  return address.IsLinkLocal() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

// IFA_CACHEINFO: EINVAL when an address would be preferred for longer than it is valid.
Result<void> TakeLifetimes(const AttributeSet& attributes, InterfaceAddress& address) {
  std::optional<ifa_cacheinfo> info = TRY(attributes.Get<ifa_cacheinfo>(IFA_CACHEINFO));
  if (info) {
    if (info->ifa_valid == 0 || info->ifa_prefered > info->ifa_valid) return Errno(EINVAL);
    address.valid_lifetime = info->ifa_valid;
    address.preferred_lifetime = info->ifa_prefered;
  }
  constexpr uint32_t kKeptFlags = IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS |
                                  IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;
  address.flags &= kKeptFlags;
  if (address.valid_lifetime == net::kForever) address.flags |= IFA_F_PERMANENT;
  return {};
}

// rtm_to_ifaddr(), inet6_rtm_newaddr().
Result<InterfaceAddress> Decode(Request& request, const AddressRequest& wanted) {
  const int family = wanted.header.ifa_family;
  const AttributeSet& attributes = wanted.attributes;
  InterfaceAddress address;
  address.interface_index = static_cast<int>(wanted.header.ifa_index);
  address.prefix_length = wanted.header.ifa_prefixlen;
  std::optional<IpAddress> local = TRY(GetIpAddress(attributes, IFA_LOCAL, family));
  std::optional<IpAddress> peer = TRY(GetIpAddress(attributes, IFA_ADDRESS, family));
  if (!local && family == AF_INET6) local = peer;
  if (!local) return Errno(EINVAL);
  address.local = *local;
  address.peer = peer.value_or(*local);
  if (address.prefix_length > local->bits()) {
    return request.Refuse(EINVAL, "Invalid prefix length");
  }
  address.scope = family == AF_INET6 ? ScopeOf(*local) : wanted.header.ifa_scope;
  address.flags = TRY(attributes.Get<uint32_t>(IFA_FLAGS)).value_or(wanted.header.ifa_flags);
  address.metric = TRY(attributes.Get<uint32_t>(IFA_RT_PRIORITY)).value_or(0);
  address.protocol = TRY(attributes.Get<uint8_t>(kProtocolAttribute)).value_or(0);
  if (family == AF_INET) {
    address.broadcast = TRY(GetIpAddress(attributes, IFA_BROADCAST, family));
    address.label = TRY(attributes.GetString(IFA_LABEL, IFNAMSIZ - 1)).value_or("");
  }
  TRY(TakeLifetimes(attributes, address));
  address.created_ns = address.changed_ns = Now();
  return address;
}

// Seconds that are left of a lifetime.
uint32_t Left(uint32_t lifetime, int64_t since_ns) {
  if (lifetime == net::kForever) return lifetime;
  int64_t passed = (Now() - since_ns) / 1'000'000'000;
  return static_cast<uint32_t>(std::max<int64_t>(0, lifetime - passed));
}

}  // namespace

void FillAddress(MessageBuilder& message, const InterfaceAddress& address) {
  message.PutHeader(ifaddrmsg{.ifa_family = static_cast<uint8_t>(address.local.family()),
                              .ifa_prefixlen = address.prefix_length,
                              .ifa_flags = static_cast<uint8_t>(address.flags),
                              .ifa_scope = address.scope,
                              .ifa_index = static_cast<uint32_t>(address.interface_index)});
  if (address.local.is_v4()) {
    message.PutBytes(IFA_ADDRESS, address.peer.bytes());
    message.PutBytes(IFA_LOCAL, address.local.bytes());
    if (address.broadcast) message.PutBytes(IFA_BROADCAST, address.broadcast->bytes());
    if (!address.label.empty()) message.PutString(IFA_LABEL, address.label);
  } else {
    if (address.peer != address.local) message.PutBytes(IFA_LOCAL, address.local.bytes());
    message.PutBytes(IFA_ADDRESS, address.peer.bytes());
  }
  if (address.protocol != 0) message.Put(kProtocolAttribute, address.protocol);
  message.Put(IFA_FLAGS, address.flags);
  if (address.metric != 0) message.Put(IFA_RT_PRIORITY, address.metric);
  // Hundredths of seconds since boot.
  message.Put(IFA_CACHEINFO,
              ifa_cacheinfo{.ifa_prefered = Left(address.preferred_lifetime, address.changed_ns),
                            .ifa_valid = Left(address.valid_lifetime, address.changed_ns),
                            .cstamp = static_cast<uint32_t>(address.created_ns / 10'000'000),
                            .tstamp = static_cast<uint32_t>(address.changed_ns / 10'000'000)});
}

Result<void> GetAddress(Request& request) {
  const int family = ReadStruct<rtgenmsg>(request.payload)->rtgen_family;
  if (!request.IsDump()) {
    // Only v6 answers for a single address.
    if (family != AF_INET6) return Errno(EOPNOTSUPP);
    AddressRequest wanted = TRY(Parse(request));
    std::optional<IpAddress> local = TRY(GetIpAddress(wanted.attributes, IFA_LOCAL, family));
    if (!local) local = TRY(GetIpAddress(wanted.attributes, IFA_ADDRESS, family));
    if (!local) return Errno(EINVAL);
    for (const InterfaceAddress& address : request.network.Addresses()) {
      int index = static_cast<int>(wanted.header.ifa_index);
      if (address.local != *local || (index != 0 && address.interface_index != index)) continue;
      MessageBuilder message = request.NewMessage(RTM_NEWADDR);
      FillAddress(message, address);
      request.Reply(std::move(message).Finish());
      return {};
    }
    return Errno(EADDRNOTAVAIL);
  }
  int index = 0;
  if (request.strict) {
    AddressRequest wanted = TRY(Parse(request));
    const ifaddrmsg& header = wanted.header;
    if (header.ifa_prefixlen != 0 || header.ifa_flags != 0 || header.ifa_scope != 0) {
      return request.Refuse(EINVAL, "Invalid values in header for address dump request");
    }
    index = static_cast<int>(header.ifa_index);
    if (index != 0 && !request.network.FindInterface(index)) return Errno(ENODEV);
  }
  std::vector<InterfaceAddress> addresses = request.network.Addresses();
  std::erase_if(addresses, [&](const InterfaceAddress& address) {
    bool other_family = (family == AF_INET && !address.local.is_v4()) ||
                        (family == AF_INET6 && !address.local.is_v6());
    return other_family || (index != 0 && address.interface_index != index);
  });
  // All of v4, then all of v6, as rtnl_dump_all() does.
  std::stable_partition(addresses.begin(), addresses.end(),
                        [](const InterfaceAddress& address) { return address.local.is_v4(); });
  return DumpAll(request, RTM_NEWADDR, std::move(addresses), &FillAddress);
}

Result<void> NewAddress(Request& request) {
  AddressRequest wanted = TRY(Parse(request));
  const int family = wanted.header.ifa_family;
  if (family != AF_INET && family != AF_INET6) return Errno(EOPNOTSUPP);
  InterfaceAddress address = TRY(Decode(request, wanted));
  std::optional<net::Interface> interface = request.network.FindInterface(address.interface_index);
  if (!interface) return Errno(ENODEV);
  if (address.local.IsMulticast()) return Errno(family == AF_INET6 ? EADDRNOTAVAIL : EINVAL);
  return request.network.AddAddress(std::move(address),
                                    request.Has(NLM_F_REPLACE) && !request.Has(NLM_F_EXCL));
}

Result<void> DeleteAddress(Request& request) {
  AddressRequest wanted = TRY(Parse(request));
  const int family = wanted.header.ifa_family;
  if (family != AF_INET && family != AF_INET6) return Errno(EOPNOTSUPP);
  const int index = static_cast<int>(wanted.header.ifa_index);
  if (!request.network.FindInterface(index)) return Errno(ENODEV);
  std::optional<IpAddress> local = TRY(GetIpAddress(wanted.attributes, IFA_LOCAL, family));
  std::optional<IpAddress> peer = TRY(GetIpAddress(wanted.attributes, IFA_ADDRESS, family));
  std::optional<std::string> label = TRY(wanted.attributes.GetString(IFA_LABEL, IFNAMSIZ - 1));
  if (family == AF_INET6 && !local) local = peer;
  if (family == AF_INET6 && !local) return Errno(EINVAL);
  for (const InterfaceAddress& address : request.network.Addresses()) {
    if (address.interface_index != index || address.local.family() != family) continue;
    if (local && address.local != *local) continue;
    if (family == AF_INET && label && address.label != *label) continue;
    bool prefix = address.prefix_length == wanted.header.ifa_prefixlen;
    if (family == AF_INET6 && wanted.header.ifa_prefixlen != 0 && !prefix) continue;
    bool subnet = prefix && peer && peer->IsInPrefix(address.peer, address.prefix_length);
    if (family == AF_INET && peer && !subnet) continue;
    return request.network.RemoveAddress(index, address.local, address.prefix_length);
  }
  return request.Refuse(EADDRNOTAVAIL,
                        family == AF_INET ? "ipv4: Address not found" : "ipv6: address not found");
}

}  // namespace redoubt::netlink
