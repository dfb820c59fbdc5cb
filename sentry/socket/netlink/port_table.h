// SPDX-License-Identifier: Apache-2.0
//
// PortTable: who is bound to which port of a netlink protocol, per network namespace, and the
// multicast groups (Linux's nl_table).
//
//   PortTable& ports = network.Extension<PortTable>();
//   ports.Multicast(NETLINK_ROUTE, RTNLGRP_LINK, message);
#ifndef SENTRY_SOCKET_NETLINK_PORT_TABLE_H_
#define SENTRY_SOCKET_NETLINK_PORT_TABLE_H_

#include <map>
#include <utility>
#include <vector>

#include "base/sync/mutex.h"
#include "sentry/socket/net/network_namespace.h"
#include "sentry/socket/netlink/endpoint.h"

namespace redoubt::netlink {

class PortTable : public net::NamespaceExtension {
 public:
  static constexpr net::ExtensionSlot kSlot = net::ExtensionSlot::kNetlink;
  explicit PortTable(net::NetworkNamespace& network) {}

  // Every open socket is listed, bound or not.
  void Add(RefPtr<Endpoint> endpoint);
  void Remove(Endpoint& endpoint);
  // EADDRINUSE; EINVAL when it has another port already.
  Result<void> Bind(Endpoint& endpoint, uint32_t port);
  // The process's number if it is free, else a large one.
  Result<void> BindAutomatically(Endpoint& endpoint, int32_t tgid);
  RefPtr<Endpoint> Find(int protocol, uint32_t port);
  // To all members of its group but those with the sender's port: not to the sender, and the
  // kernel's not to sockets that are not bound. Whether there was any.
  bool Multicast(const Datagram& datagram, int protocol);
  // Whether a message to `group` would be heard: it need not be made otherwise.
  bool HasListeners(int protocol, uint32_t group);
  std::vector<RefPtr<Endpoint>> All();

 private:
  using Key = std::pair<int, uint32_t>;
  Mutex<LockRank::kLeaf> mu_;
  std::vector<RefPtr<Endpoint>> all_ ABSL_GUARDED_BY(mu_);
  std::map<Key, RefPtr<Endpoint>> bound_ ABSL_GUARDED_BY(mu_);
  int32_t next_automatic_ ABSL_GUARDED_BY(mu_) = -4097;
};

}  // namespace redoubt::netlink

#endif  // SENTRY_SOCKET_NETLINK_PORT_TABLE_H_
