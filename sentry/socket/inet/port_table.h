// SPDX-License-Identifier: Apache-2.0
//
// PortTable: who is bound to which port of one protocol in one network namespace, which connections
// exist, and which of them are in TIME_WAIT (Linux's inet_hashinfo and udp_table).
//
//   Binding binding(*this);  binding.address = ...;
//   uint16_t port = TRY(table.Bind(binding, 0));                        // 0: an ephemeral one.
//   TRY(table.BindForConnect(binding, remote));                         // connect(2) unbound.
//   TRY(table.Claim({local, remote}));                                  // One connection of a
//   name. RefPtr<InetEndpoint> listener = table.FindListener(query);
//
// The rules of who may share a port are inet_csk_bind_conflict()'s and udp_lib_lport_inuse()'s.
// A Binding belongs to its endpoint and leaves the table before that goes.
//
// mu_ is a leaf: everything here may be called under an endpoint's lock.
#ifndef SENTRY_SOCKET_INET_PORT_TABLE_H_
#define SENTRY_SOCKET_INET_PORT_TABLE_H_

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "sentry/socket/inet/inet_name.h"
#include "sentry/socket/net/settings.h"

namespace redoubt::inet {

class InetEndpoint;
class PortTable;

// One socket's share of a port. Its fields are set before it is bound, and changed by the table
// afterwards; guarded by the table's lock while bound.
struct Binding {
  explicit Binding(InetEndpoint* owner) : owner(owner) {}
  Binding(const Binding&) = default;

  // Whether a packet to `destination` is for it.
  bool Accepts(const IpAddress& destination) const;

  InetEndpoint* owner;  // Null in TIME_WAIT.
  IpAddress address;    // Unspecified of its family: any.
  InetName remote;      // Of a connected datagram socket; port 0: not connected.
  uint32_t uid = 0;
  int device = 0;     // SO_BINDTODEVICE.
  uint16_t port = 0;  // 0: not bound.
  bool v6_only = false;
  bool reuse_address = false;
  bool reuse_port = false;
  bool listening = false;
  bool by_connect = false;  // connect(2) chose the port: others that connect may share it.
  Binding* previous = nullptr;
  Binding* next = nullptr;
};

struct ConnectionName {
  InetName local;
  InetName remote;
  friend bool operator==(const ConnectionName&, const ConnectionName&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ConnectionName& name) {
    return H::combine(std::move(h), name.local, name.remote);
  }
};

// A packet that looks for its socket.
struct PortQuery {
  InetName source;
  InetName destination;
  int device = 0;  // It came in by.
};

struct TimeWait {
  ConnectionName name;
  Binding binding;
  int family = 0;
  int64_t since_ns = 0;  // Monotonic clock.
};

class PortTable {
 public:
  enum class Kind : uint8_t { kStream, kDatagram };
  // `settings`: net.ipv4.ip_local_port_range bounds what is chosen; null: every port may be.
  PortTable(Kind kind, const net::Settings* settings);
  ~PortTable();

  // Puts `binding` on `port`, or for 0 on a free one. EADDRINUSE.
  Result<uint16_t> Bind(Binding& binding, uint16_t port);
  // A port from which nobody is connected to `remote`, and claims the name. EADDRNOTAVAIL.
  Result<uint16_t> BindForConnect(Binding& binding, const InetName& remote);
  // An accepted connection shares its listener's port, and its name is claimed. EADDRINUSE when the
  // name is taken.
  Result<void> BindAccepted(Binding& binding, uint16_t port, const InetName& remote);
  void Unbind(Binding& binding);
  // listen(2) after bind(2): EADDRINUSE when another one listens.
  Result<void> Listen(Binding& binding);
  // Changes a binding that may be in the table.
  void Update(Binding& binding, const std::function<void(Binding&)>& change);

  // A connection's name, from connect(2) of a socket that has a port. EADDRNOTAVAIL when taken.
  Result<void> Claim(const ConnectionName& name);
  void Unclaim(const ConnectionName& name);
  // The connection ended, and its name stays for a minute.
  void EnterTimeWait(const ConnectionName& name, const Binding& binding, int family);

  // The listener for a connection; of several with SO_REUSEPORT one by the source.
  RefPtr<InetEndpoint> FindListener(const PortQuery& query);
  // The socket for a datagram.
  RefPtr<InetEndpoint> FindReceiver(const PortQuery& query);
  // All that are bound to the port and address: multicast and broadcast.
  std::vector<RefPtr<InetEndpoint>> FindAllReceivers(const PortQuery& query);

  // For listings.
  std::vector<RefPtr<InetEndpoint>> Endpoints();
  std::vector<TimeWait> TimeWaits();

 private:
  struct Bucket {
    Binding* first = nullptr;
  };
  struct Claimed {
    TimeWait* time_wait = nullptr;  // Null: alive.
  };

  bool ConflictsLocked(const Binding& binding, uint16_t port, bool strict) const
      ABSL_SHARED_LOCKS_REQUIRED(mu_);
  bool Conflict(const Binding& a, const Binding& b, bool strict) const;
  bool OnlyConnectedLocked(uint16_t port) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  // `at_once`: however young the TIME_WAIT under that name, as a new SYN ends it.
  bool ClaimLocked(const ConnectionName& name, bool at_once) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void InsertLocked(Binding& binding, uint16_t port) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RemoveLocked(Binding& binding) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ExpireLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndTimeWaitLocked(TimeWait* time_wait) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The ports to choose from, from a random one on.
  struct Range {
    uint32_t first, count, start;
    uint16_t At(uint32_t i) const { return static_cast<uint16_t>(first + (start + i) % count); }
  };
  Range RangeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  uint32_t RandomLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int Score(const Binding& binding, const PortQuery& query) const;
  template <typename Filter>
  RefPtr<InetEndpoint> FindBest(const PortQuery& query, Filter filter);

  const Kind kind_;
  const net::Settings* const settings_;
  mutable Mutex<LockRank::kLeaf> mu_;
  uint64_t random_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint16_t, Bucket> buckets_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<ConnectionName, Claimed> claimed_ ABSL_GUARDED_BY(mu_);
  std::deque<std::unique_ptr<TimeWait>> time_waits_ ABSL_GUARDED_BY(mu_);  // Oldest first.
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_PORT_TABLE_H_
