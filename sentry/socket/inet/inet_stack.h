// SPDX-License-Identifier: Apache-2.0
//
// InetStack: what AF_INET and AF_INET6 keep per network namespace: the ports of each protocol and
// who listens to which multicast group. Hangs off net::NetworkNamespace.
//
//   InetStack& stack = network.Extension<InetStack>();
#ifndef SENTRY_SOCKET_INET_INET_STACK_H_
#define SENTRY_SOCKET_INET_INET_STACK_H_

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sentry/socket/inet/port_table.h"
#include "sentry/socket/net/network_namespace.h"

namespace redoubt::inet {

struct GroupName {
  IpAddress group;
  int interface_index = 0;
  friend bool operator==(const GroupName&, const GroupName&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const GroupName& name) {
    return H::combine(std::move(h), name.group, name.interface_index);
  }
};

class InetStack : public net::NamespaceExtension, public net::InetSocketSource {
 public:
  static constexpr net::ExtensionSlot kSlot = net::ExtensionSlot::kInet;
  explicit InetStack(net::NetworkNamespace& network);

  PortTable& tcp() { return tcp_; }
  PortTable& udp() { return udp_; }
  PortTable& echo() { return echo_; }  // ICMP echo sockets: their identifiers, both families.
  net::NetworkNamespace& network() { return network_; }

  // How many sockets joined a group: packets to others go nowhere.
  void JoinGroup(const GroupName& name);
  void LeaveGroup(const GroupName& name);
  bool IsJoined(const GroupName& name);

  // listing.cc
  std::vector<net::InetSocketInfo> List(int protocol, bool raw, bool with_details) override;
  net::InetSocketCounts Counts() override;
  Result<void> Destroy(const net::InetSocketInfo& socket) override;

 private:
  net::NetworkNamespace& network_;  // Outlives its extensions.
  PortTable tcp_;
  PortTable udp_;
  PortTable echo_;
  Mutex<LockRank::kLeaf> groups_mu_;
  absl::flat_hash_map<GroupName, int> groups_ ABSL_GUARDED_BY(groups_mu_);
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_INET_STACK_H_
