// SPDX-License-Identifier: Apache-2.0
//
// NetworkNamespace: interfaces, addresses, routes, neighbours, rules and settings of one network
// (Linux's struct net). Every one has lo; the first one's is up when a sandbox starts.
//
//   net::NetworkNamespace& network = net::NamespaceOf(caller);
//   if (!network.IsLocal(address)) return Errno(EADDRNOTAVAIL);             // bind(2).
//   net::RouteAnswer route = TRY(network.FindRoute({.destination = to}));   // connect(2).
//   PortTables& ports = network.Extension<PortTables>();                    // A protocol's state.
//
// It answers from its tables and moves no packets. Who may change it is the caller's business
// (CAP_NET_ADMIN); changes are told to observers (netlink's multicast groups).
//
// References are held by sockets, and by tasks (through vfs::Caller, which only borrows).
// Locks: mu_ is a leaf, so everything here may be asked under a socket's lock. Changes are made
// without any lock held, since observers are called.
#ifndef SENTRY_SOCKET_NET_NETWORK_NAMESPACE_H_
#define SENTRY_SOCKET_NET_NETWORK_NAMESPACE_H_

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "sentry/socket/net/counters.h"
#include "sentry/socket/net/objects.h"
#include "sentry/socket/net/settings.h"
#include "sentry/socket/net/socket_listing.h"
#include "sentry/vfs/caller.h"

namespace redoubt::net {

class NetworkNamespace;
struct NetworkEvent;

// What a protocol keeps per namespace: a subclass with a slot of its own, a static member kSlot and
// a constructor from NetworkNamespace&. It must not hold a reference to the namespace.
enum class ExtensionSlot : uint8_t { kInet, kNetlink, kPacket, kUnix, kHost, kCount };
class NamespaceExtension {
 public:
  virtual ~NamespaceExtension() = default;
};

struct RouteQuestion {
  IpAddress destination;
  std::optional<IpAddress> source = {};  // When it is bound already.
  int interface_index = 0;               // SO_BINDTODEVICE, a scope id; 0 any.
  uint32_t mark = 0;
};

struct RouteAnswer {
  Route route;
  uint8_t type = RTN_UNICAST;  // RTN_LOCAL: to ourselves; RTN_BROADCAST; RTN_MULTICAST.
  int interface_index = 0;     // Where the packet goes out: lo for RTN_LOCAL.
  IpAddress source;            // What to send from; unspecified when the device has no address.
  uint32_t mtu = 0;
};

// Hears of changes, in the order in which they happen, without locks. `removed`: it was just taken
// out.
class NetworkObserver {
 public:
  virtual ~NetworkObserver() = default;
  // `changed`: IFF_* flags that differ from before.
  virtual void OnLink(const Interface& interface, bool removed, uint32_t changed) = 0;
  virtual void OnAddress(const InterfaceAddress& address, bool removed) = 0;
  virtual void OnRoute(const Route& route, bool removed) = 0;
  virtual void OnNeighbour(const Neighbour& neighbour, bool removed) = 0;
  virtual void OnRule(const Rule& rule, bool removed) = 0;
};

class NetworkNamespace : public RefCounted<NetworkNamespace> {
 public:
  // With lo, down and without addresses.
  NetworkNamespace();
  ~NetworkNamespace();
  // The sandbox's own, made at first use, with lo up. Lives as long as the process.
  static NetworkNamespace& Initial();

  // --- Questions. ---
  // An address that reaches this namespace itself: 127.0.0.0/8 and ::1 while lo is up, and those of
  // interfaces. What bind(2) allows, besides the unspecified address, broadcast and multicast.
  bool IsLocal(const IpAddress& address) const;
  // RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST, RTN_UNICAST: inet_addr_type().
  uint8_t TypeOf(const IpAddress& address) const;
  // ENETUNREACH: no route. EHOSTUNREACH, EACCES, EINVAL: an unreachable, prohibit, blackhole one.
  Result<RouteAnswer> FindRoute(const RouteQuestion& question) const;

  std::vector<Interface> Interfaces() const;  // By index.
  std::optional<Interface> FindInterface(int index) const;
  std::optional<Interface> FindInterface(std::string_view name) const;
  std::vector<InterfaceAddress> Addresses() const;  // By interface, v4 first.
  std::vector<Route> Routes() const;                // As a dump shows them.
  std::vector<Neighbour> Neighbours() const;
  std::vector<Rule> Rules() const;  // By family and priority.
  // Counts changes of any kind.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  // lo's traffic, for whoever joins sockets in memory.
  InterfaceCounters& loopback_counters() const { return *loopback_counters_; }

  // --- Changes. See interfaces.cc, addresses.cc, routes.cc, neighbours.cc. ---
  // `interface.index` 0: the next free one; an empty name ends in a number ("dummy%d" is a
  // pattern). EEXIST, ENFILE. Gives the index.
  Result<int> AddInterface(Interface interface);
  // Both ends of a veth pair; gives the first one's index.
  Result<int> AddInterfacePair(Interface a, Interface b);
  // EOPNOTSUPP for lo. Takes its peer with it.
  Result<void> RemoveInterface(int index);
  // Only what is set changes. ENODEV; EEXIST for a name; EINVAL for an mtu out of bounds, EBUSY for
  // a name of one that is up.
  struct InterfaceChange {
    std::optional<std::string> name = {};
    std::optional<std::string> alias = {};
    std::optional<uint32_t> mtu = {};
    std::optional<uint32_t> tx_queue_length = {};
    std::optional<uint32_t> group = {};
    std::optional<HardwareAddress> address = {};
    std::optional<HardwareAddress> broadcast = {};
    std::optional<bool> carrier = {};
    uint32_t flags = 0, flags_mask = 0;
  };
  Result<void> ChangeInterface(int index, const InterfaceChange& change);

  // EEXIST unless `replace`; ENODEV, EINVAL.
  Result<void> AddAddress(InterfaceAddress address, bool replace = false);
  // The first that matches index, local address and (unless it is 0xff) prefix length.
  // EADDRNOTAVAIL.
  Result<void> RemoveAddress(int index, const IpAddress& local, uint8_t prefix_length);

  struct RouteFlags {
    bool create = true, exclusive = true, replace = false, append = false;
  };
  // EEXIST, ENOENT, ENODEV, ENETDOWN, ENETUNREACH (a gateway that no route leads to), EINVAL.
  Result<void> AddRoute(Route route, const RouteFlags& flags);
  // The first that matches what `route` says (zeroes match anything, as in fib_table_delete());
  // ESRCH.
  Result<void> RemoveRoute(const Route& route);

  Result<void> AddNeighbour(Neighbour neighbour, bool create, bool exclusive);
  Result<void> RemoveNeighbour(int index, const IpAddress& address, bool proxy);
  Result<void> AddRule(Rule rule, bool exclusive);
  Result<void> RemoveRule(const Rule& rule, bool match_priority, bool match_table);

  // At most a few; set before the first change, never removed.
  void AddObserver(NetworkObserver* observer);

  // --- What belongs to a namespace besides. ---
  Settings& settings() { return settings_; }  // net.ipv4.*, net.core.* ...
  const Settings& settings() const { return settings_; }
  const ProtocolCounters& counters() const { return counters_; }
  ProtocolCounters& counters() { return counters_; }  // /proc/net/snmp, netstat.

  // A protocol's state, made at first use.
  template <typename T>
  T& Extension() {
    auto& slot = extensions_[static_cast<size_t>(T::kSlot)];
    NamespaceExtension* found = slot.load(std::memory_order_acquire);
    if (found == nullptr) found = Install(slot, std::make_unique<T>(*this));
    return static_cast<T&>(*found);
  }
  // Who lists the sockets of AF_INET and AF_INET6 for ss(8) and /proc/net; null: there are none.
  void SetInetSockets(InetSocketSource* source) { inet_sockets_.store(source); }
  InetSocketSource* inet_sockets() const { return inet_sockets_.load(); }

 private:
  using Slot = std::atomic<NamespaceExtension*>;
  static NamespaceExtension* Install(Slot& slot, std::unique_ptr<NamespaceExtension> made);

  struct Tables;  // tables.h
  template <typename F>
  auto Change(F&& change);
  void Publish(const std::vector<NetworkEvent>& events) ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);

  const RefPtr<InterfaceCounters> loopback_counters_;
  std::atomic<uint64_t> generation_{0};
  Settings settings_;
  ProtocolCounters counters_;
  std::array<Slot, static_cast<size_t>(ExtensionSlot::kCount)> extensions_{};
  std::atomic<InetSocketSource*> inet_sockets_{nullptr};

  // Serialises changes with their notifications: outside mu_.
  mutable Mutex<LockRank::kNetworkChange> change_mu_;
  mutable Mutex<LockRank::kLeaf> mu_;
  std::unique_ptr<Tables> tables_ ABSL_GUARDED_BY(mu_);
  std::vector<NetworkObserver*> observers_ ABSL_GUARDED_BY(change_mu_);
};

// The caller's namespace: the initial one unless its task has another.
NetworkNamespace& NamespaceOf(const vfs::Caller& caller);

}  // namespace redoubt::net

#endif  // SENTRY_SOCKET_NET_NETWORK_NAMESPACE_H_
