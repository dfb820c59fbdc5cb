// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/inet_stack.h"

namespace redoubt::inet {

InetStack::InetStack(net::NetworkNamespace& network)
    : network_(network),
      tcp_(PortTable::Kind::kStream, &network.settings()),
      udp_(PortTable::Kind::kDatagram, &network.settings()),
      echo_(PortTable::Kind::kDatagram, nullptr) {
  network.SetInetSockets(this);
}

void InetStack::JoinGroup(const GroupName& name) {
  MutexLock lock(&groups_mu_);
  ++groups_[name];
}

void InetStack::LeaveGroup(const GroupName& name) {
  MutexLock lock(&groups_mu_);
  const auto found = groups_.find(name);
  if (found != groups_.end() && --found->second == 0) groups_.erase(found);
}

bool InetStack::IsJoined(const GroupName& name) {
  MutexLock lock(&groups_mu_);
  return groups_.contains(name);
}

}  // namespace redoubt::inet
