// SPDX-License-Identifier: Apache-2.0
//
// Interfaces: made, changed, brought up and down (Linux: net/core/dev.c, net/ipv4/devinet.c).
#include <algorithm>
#include <random>
#include <string>

#include "sentry/socket/net/tables.h"

namespace redoubt::net {

namespace {

// What ChangeInterface may change of the flags: dev_change_flags().
constexpr uint32_t kSettableFlags = IFF_UP | IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_PROMISC |
                                    IFF_ALLMULTI | IFF_MULTICAST | IFF_DYNAMIC | IFF_PORTSEL |
                                    IFF_AUTOMEDIA;

// dev_valid_name().
bool IsValidName(std::string_view name) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c == '/' || c == ':' || std::isspace(c) != 0; });
}

Result<std::string> NameFor(const NetworkNamespace& network, const std::string& pattern,
                            const std::function<bool(std::string_view)>& taken) {
  if (!IsValidName(pattern)) return Errno(EINVAL);
  size_t percent = pattern.find('%');
  if (percent == std::string::npos) {
    if (taken(pattern)) return Errno(EEXIST);
    return pattern;
  }
  if (pattern.substr(percent) != "%d") return Errno(EINVAL);
  for (int i = 0;; ++i) {
    std::string name = pattern.substr(0, percent) + std::to_string(i);
    if (name.size() >= IFNAMSIZ) return Errno(ENFILE);
    if (!taken(name)) return name;
  }
}

// A locally administered address.
HardwareAddress RandomHardwareAddress() {
  static Mutex<LockRank::kLeaf> mu;
  static std::mt19937_64 random(0x5eed ^ reinterpret_cast<uintptr_t>(&mu));
  MutexLock lock(&mu);
  uint64_t bits = random();
  HardwareAddress address;
  for (uint8_t& byte : address) {
    byte = static_cast<uint8_t>(bits);
    bits >>= 8;
  }
  address[0] = (address[0] & 0xfe) | 0x02;
  return address;
}

// ipv6_generate_eui64().
IpAddress LinkLocalAddress(const HardwareAddress& mac) {
  return IpAddress::V6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<uint8_t>(mac[0] ^ 2), mac[1],
                        mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]});
}

Route MulticastRoute(int index) {
  Route route;
  route.family = AF_INET6;
  std::array<uint8_t, 16> prefix{0xff};
  route.destination = IpAddress::V6(prefix);
  route.prefix_length = 8;
  route.type = RTN_MULTICAST;
  route.protocol = RTPROT_KERNEL;
  route.table = RT_TABLE_LOCAL;
  route.metric = 256;
  route.interface_index = index;
  return route;
}

}  // namespace

uint32_t Interface::ShownFlags() const {
  uint32_t shown = flags & ~(IFF_RUNNING | kFlagLowerUp | kFlagDormant);
  if (IsUp() && carrier) shown |= IFF_RUNNING | kFlagLowerUp;
  return shown;
}

uint8_t Interface::operational_state() const {
  // Software devices that never set it are "unknown", as on Linux.
  if (kind != "veth") return IsUp() || IsLoopback() ? kOperUnknown : kOperDown;
  if (!IsUp()) return kOperDown;
  return carrier ? kOperUp : kOperLowerLayerDown;
}

Interface* NetworkNamespace::Tables::Find(int index) {
  auto it = interfaces.find(index);
  return it == interfaces.end() ? nullptr : &it->second;
}

const Interface* NetworkNamespace::Tables::Find(int index) const {
  return const_cast<Tables*>(this)->Find(index);
}

const Interface* NetworkNamespace::Tables::Find(std::string_view name) const {
  for (const auto& [index, interface] : interfaces) {
    if (interface.name == name) return &interface;
  }
  return nullptr;
}

void NetworkNamespace::Tables::BringUp(Interface& interface, NetworkEvents& events) {
  int index = interface.index;
  if (interface.IsLoopback()) {
    InterfaceAddress v4;
    v4.interface_index = index;
    v4.local = v4.peer = IpAddress::Loopback(AF_INET);
    v4.prefix_length = 8;
    v4.scope = RT_SCOPE_HOST;
    v4.flags = IFA_F_PERMANENT;
    v4.label = interface.name;
    bool has_v4 = std::any_of(addresses.begin(), addresses.end(), [&](const auto& address) {
      return address.interface_index == index && address.local.is_v4();
    });
    if (!has_v4) (void)AddAddress(std::move(v4), false, events);
  }
  for (const InterfaceAddress& address : std::vector(addresses)) {
    if (address.interface_index == index) AddRoutesOf(address, events);
  }
  InterfaceAddress v6;
  v6.interface_index = index;
  v6.flags = IFA_F_PERMANENT;
  if (interface.IsLoopback()) {
    v6.local = v6.peer = IpAddress::Loopback(AF_INET6);
    v6.prefix_length = 128;
    v6.scope = RT_SCOPE_HOST;
  } else {
    InsertRoute(MulticastRoute(index), events);
    v6.local = v6.peer = LinkLocalAddress(interface.address);
    v6.prefix_length = 64;
    v6.scope = RT_SCOPE_LINK;
    v6.protocol = 2;  // IFAPROT_KERNEL_LL.
  }
  (void)AddAddress(std::move(v6), false, events);
}

void NetworkNamespace::Tables::TakeDown(Interface& interface, NetworkEvents& events) {
  int index = interface.index;
  for (size_t i = addresses.size(); i-- > 0;) {
    bool ours = addresses[i].interface_index == index && addresses[i].local.is_v6();
    if (ours) RemoveAddressAt(i, events);
  }
  // Linux tells nobody of v4 routes that go this way, and keeps those to own addresses.
  NetworkEvents untold;
  auto goes = [&](const Route& route) {
    bool kept = route.family == AF_INET && route.type == RTN_LOCAL;
    return route.interface_index == index && !kept;
  };
  RemoveRoutesIf(goes, untold);
  std::erase_if(neighbours, [&](const Neighbour& n) { return n.interface_index == index; });
}

void NetworkNamespace::Tables::UpdateCarrierOfPeer(const Interface& interface,
                                                   NetworkEvents& events) {
  Interface* peer = interface.peer_index != 0 ? Find(interface.peer_index) : nullptr;
  if (peer == nullptr || interface.kind != "veth") return;
  bool both_up = interface.IsUp() && peer->IsUp();
  for (Interface* end : {Find(interface.index), peer}) {
    if (end->carrier == both_up) continue;
    end->carrier = both_up;
    ++end->carrier_changes;
    if (end == peer) events.push_back({.what = LinkEvent{*end, 0}});
  }
}

void NetworkNamespace::Tables::SetFlags(Interface& interface, uint32_t flags,
                                        NetworkEvents& events) {
  uint32_t changed = (interface.flags ^ flags) & kSettableFlags;
  if (changed == 0) return;
  interface.flags ^= changed;
  if ((changed & IFF_PROMISC) != 0) interface.promiscuity += interface.flags & IFF_PROMISC ? 1 : -1;
  if ((changed & IFF_UP) == 0) {
    events.push_back({.what = LinkEvent{interface, changed}});
    return;
  }
  UpdateCarrierOfPeer(interface, events);
  if (interface.IsUp()) {
    events.push_back({.what = LinkEvent{interface, changed}});
    BringUp(interface, events);
  } else {
    TakeDown(interface, events);
    events.push_back({.what = LinkEvent{interface, changed}});
  }
}

void NetworkNamespace::Tables::Remove(int index, NetworkEvents& events) {
  Interface* interface = Find(index);
  if (interface == nullptr) return;
  interface->peer_index = 0;
  SetFlags(*interface, interface->flags & ~uint32_t{IFF_UP}, events);
  for (size_t i = addresses.size(); i-- > 0;) {
    if (i < addresses.size() && addresses[i].interface_index == index) RemoveAddressAt(i, events);
  }
  events.push_back({.what = LinkEvent{*interface, ~uint32_t{0}}, .removed = true});
  interfaces.erase(index);
}

Result<int> NetworkNamespace::AddInterface(Interface interface) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<int> {
    return tables.AddInterface(*this, std::move(interface), events);
  });
}

Result<int> NetworkNamespace::Tables::AddInterface(const NetworkNamespace& network,
                                                   Interface interface, NetworkEvents& events) {
  if (interfaces.size() >= kMaximumInterfaces) return Errno(ENFILE);
  interface.name = TRY(NameFor(network, interface.name,
                               [&](std::string_view name) { return Find(name) != nullptr; }));
  if (interface.index == 0) interface.index = interfaces.rbegin()->first + 1;
  if (interface.index < 0) return Errno(EINVAL);
  if (Find(interface.index) != nullptr) return Errno(EBUSY);
  if (interface.type == ARPHRD_ETHER) {
    if (interface.address == HardwareAddress{}) interface.address = RandomHardwareAddress();
    interface.broadcast.fill(0xff);
  }
  if (!interface.counters) interface.counters = MakeRef<InterfaceCounters>();
  int index = interface.index;
  Interface& added = interfaces.emplace(index, std::move(interface)).first->second;
  uint32_t flags = added.flags;
  added.flags &= ~uint32_t{IFF_UP};
  events.push_back({.what = LinkEvent{added, ~uint32_t{0}}});
  SetFlags(added, flags, events);
  return index;
}

Result<int> NetworkNamespace::AddInterfacePair(Interface a, Interface b) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<int> {
    bool wants_up[] = {a.IsUp(), b.IsUp()};
    a.flags &= ~uint32_t{IFF_UP};
    b.flags &= ~uint32_t{IFF_UP};
    a.carrier = b.carrier = false;
    // As Linux: the peer is registered first.
    int second = TRY(tables.AddInterface(*this, std::move(b), events));
    a.peer_index = second;
    Result<int> first = tables.AddInterface(*this, std::move(a), events);
    if (!first.ok()) {
      tables.Remove(second, events);
      return first;
    }
    tables.Find(second)->peer_index = *first;
    int index[] = {*first, second};
    for (int i = 0; i < 2; ++i) {
      Interface& end = *tables.Find(index[i]);
      if (wants_up[i]) tables.SetFlags(end, end.flags | IFF_UP, events);
    }
    return *first;
  });
}

Result<void> NetworkNamespace::RemoveInterface(int index) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
    Interface* interface = tables.Find(index);
    if (interface == nullptr) return Errno(ENODEV);
    if (interface->IsLoopback()) return Errno(EOPNOTSUPP);
    int peer = interface->kind == "veth" ? interface->peer_index : 0;
    tables.Remove(index, events);
    if (peer != 0) tables.Remove(peer, events);
    return {};
  });
}

Result<void> NetworkNamespace::Tables::Check(const Interface& interface,
                                             const InterfaceChange& change) const {
  if (change.mtu) {
    bool small = *change.mtu < interface.minimum_mtu;
    bool large = interface.maximum_mtu != 0 && *change.mtu > interface.maximum_mtu;
    if (small || large || *change.mtu > 0x7fffffff) return Errno(EINVAL);
  }
  if (change.name && *change.name != interface.name) {
    if (!IsValidName(*change.name) || change.name->find('%') != std::string::npos) {
      return Errno(EINVAL);
    }
    if (Find(*change.name) != nullptr) return Errno(EEXIST);
  }
  if (change.address && interface.IsLoopback()) return Errno(EOPNOTSUPP);
  if (change.address && ((*change.address)[0] & 1) != 0) return Errno(EADDRNOTAVAIL);
  return {};
}

Result<void> NetworkNamespace::ChangeInterface(int index, const InterfaceChange& change) {
  return Change([&](Tables& tables, NetworkEvents& events) -> Result<void> {
    Interface* interface = tables.Find(index);
    if (interface == nullptr) return Errno(ENODEV);
    TRY(tables.Check(*interface, change));
    bool told = false;
    auto set = [&](auto& field, const auto& value) {
      if (!value || field == *value) return;
      field = *value;
      told = true;
    };
    set(interface->name, change.name);
    set(interface->alias, change.alias);
    set(interface->mtu, change.mtu);
    set(interface->tx_queue_length, change.tx_queue_length);
    set(interface->group, change.group);
    set(interface->address, change.address);
    set(interface->broadcast, change.broadcast);
    set(interface->carrier, change.carrier);
    if (told) events.push_back({.what = LinkEvent{*interface, 0}});
    uint32_t flags = (interface->flags & ~change.flags_mask) | (change.flags & change.flags_mask);
    tables.SetFlags(*interface, flags, events);
    return {};
  });
}

}  // namespace redoubt::net
