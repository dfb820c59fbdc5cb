// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/inet_stack.h"

namespace redoubt::inet {

namespace {

uint16_t PortLimit(net::NetworkNamespace& network, size_t index) {
  return static_cast<uint16_t>(network.settings().Get(net::Setting::kLocalPortRange, index));
}

}  // namespace

InetStack::InetStack(net::NetworkNamespace& network)
    : network_(network),
      tcp_(PortTable::Kind::kStream, PortLimit(network, 0), PortLimit(network, 1)),
      udp_(PortTable::Kind::kDatagram, PortLimit(network, 0), PortLimit(network, 1)),
      echo_(PortTable::Kind::kDatagram, 1, 65535) {
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
