// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/port_table.h"

#include <algorithm>

namespace redoubt::netlink {

void PortTable::Add(RefPtr<Endpoint> endpoint) {
  MutexLock lock(&mu_);
  all_.push_back(std::move(endpoint));
}

void PortTable::Remove(Endpoint& endpoint) {
  MutexLock lock(&mu_);
  if (endpoint.port() != 0) bound_.erase({endpoint.protocol(), endpoint.port()});
  std::erase_if(all_, [&](const RefPtr<Endpoint>& known) { return known == &endpoint; });
}

Result<void> PortTable::Bind(Endpoint& endpoint, uint32_t port) {
  MutexLock lock(&mu_);
  if (endpoint.port() != 0) {
    if (endpoint.port() != port) return Errno(EINVAL);
    return {};
  }
  auto [it, inserted] = bound_.try_emplace({endpoint.protocol(), port}, &endpoint);
  if (!inserted) return Errno(EADDRINUSE);
  endpoint.SetPort(port);
  return {};
}

Result<void> PortTable::BindAutomatically(Endpoint& endpoint, int32_t tgid) {
  constexpr int kTries = 1 << 20;
  uint32_t port = static_cast<uint32_t>(tgid);
  for (int i = 0; i < kTries; ++i) {
    Result<void> bound = Bind(endpoint, port);
    // Another thread was faster.
    if (bound.Is(EINVAL)) return {};
    if (!bound.Is(EADDRINUSE)) return bound;
    MutexLock lock(&mu_);
    if (next_automatic_ > -4097 || next_automatic_ == INT32_MIN) next_automatic_ = -4097;
    port = static_cast<uint32_t>(next_automatic_--);
  }
  return Errno(EADDRINUSE);
}

RefPtr<Endpoint> PortTable::Find(int protocol, uint32_t port) {
  MutexLock lock(&mu_);
  auto it = bound_.find({protocol, port});
  return it == bound_.end() ? nullptr : it->second;
}

bool PortTable::Multicast(const Datagram& datagram, int protocol) {
  std::vector<RefPtr<Endpoint>> members;
  {
    MutexLock lock(&mu_);
    for (const RefPtr<Endpoint>& endpoint : all_) {
      bool wants = endpoint->protocol() == protocol && endpoint->IsMember(datagram.group);
      if (wants && endpoint->port() != datagram.sender_port) members.push_back(endpoint);
    }
  }
  for (const RefPtr<Endpoint>& member : members) (void)member->Deliver(datagram, true);
  return !members.empty();
}

bool PortTable::HasListeners(int protocol, uint32_t group) {
  MutexLock lock(&mu_);
  return std::any_of(all_.begin(), all_.end(), [&](const RefPtr<Endpoint>& endpoint) {
    return endpoint->protocol() == protocol && endpoint->IsMember(group);
  });
}

std::vector<RefPtr<Endpoint>> PortTable::All() {
  MutexLock lock(&mu_);
  return all_;
}

}  // namespace redoubt::netlink
