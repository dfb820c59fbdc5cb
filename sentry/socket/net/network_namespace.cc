// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/net/network_namespace.h"

#include <functional>
#include <utility>

#include "sentry/socket/net/tables.h"

namespace redoubt::net {

namespace {

Interface Loopback(RefPtr<InterfaceCounters> counters) {
  Interface lo;
  lo.index = kLoopbackIndex;
  lo.name = "lo";
  lo.type = ARPHRD_LOOPBACK;
  lo.flags = IFF_LOOPBACK;
  lo.mtu = 65536;
  lo.counters = std::move(counters);
  return lo;
}

struct Teller {
  NetworkObserver& observer;
  bool removed;
  void operator()(const LinkEvent& event) {
    observer.OnLink(event.interface, removed, event.changed);
  }
  void operator()(const InterfaceAddress& address) { observer.OnAddress(address, removed); }
  void operator()(const Route& route) { observer.OnRoute(route, removed); }
  void operator()(const Neighbour& neighbour) { observer.OnNeighbour(neighbour, removed); }
  void operator()(const Rule& rule) { observer.OnRule(rule, removed); }
};

}  // namespace

NetworkNamespace::NetworkNamespace()
    : loopback_counters_(MakeRef<InterfaceCounters>()), tables_(std::make_unique<Tables>()) {
  tables_->interfaces.emplace(kLoopbackIndex, Loopback(loopback_counters_));
  tables_->rules = Tables::DefaultRules();
}

NetworkNamespace::~NetworkNamespace() {
  for (Slot& slot : extensions_) delete slot.load();
}

NetworkNamespace& NetworkNamespace::Initial() {
  static NetworkNamespace* initial = [] {
    auto* made = new NetworkNamespace;
    (void)made->ChangeInterface(kLoopbackIndex, {.flags = IFF_UP, .flags_mask = IFF_UP});
    return made;
  }();
  return *initial;
}

NetworkNamespace& NamespaceOf(const vfs::Caller& caller) {
  return caller.network != nullptr ? *caller.network : NetworkNamespace::Initial();
}

NamespaceExtension* NetworkNamespace::Install(Slot& slot,
                                              std::unique_ptr<NamespaceExtension> made) {
  NamespaceExtension* expected = nullptr;
  // Of two that come first together, one is dropped again.
  if (slot.compare_exchange_strong(expected, made.get())) return made.release();
  return expected;
}

void NetworkNamespace::AddObserver(NetworkObserver* observer) {
  MutexLock lock(&change_mu_);
  observers_.push_back(observer);
}

void NetworkNamespace::Publish(const NetworkEvents& events) {
  if (events.empty()) return;
  generation_.fetch_add(1, std::memory_order_acq_rel);
  for (const NetworkEvent& event : events) {
    for (NetworkObserver* observer : observers_) {
      std::visit(Teller{*observer, event.removed}, event.what);
    }
  }
}

bool NetworkNamespace::IsLocal(const IpAddress& address) const {
  return TypeOf(address) == RTN_LOCAL;
}

uint8_t NetworkNamespace::TypeOf(const IpAddress& address) const {
  ReaderMutexLock lock(&mu_);
  return tables_->TypeOf(address);
}

std::vector<Interface> NetworkNamespace::Interfaces() const {
  ReaderMutexLock lock(&mu_);
  std::vector<Interface> result;
  for (const auto& [index, interface] : tables_->interfaces) result.push_back(interface);
  return result;
}

std::optional<Interface> NetworkNamespace::FindInterface(int index) const {
  ReaderMutexLock lock(&mu_);
  const Interface* found = std::as_const(*tables_).Find(index);
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::optional<Interface> NetworkNamespace::FindInterface(std::string_view name) const {
  ReaderMutexLock lock(&mu_);
  const Interface* found = tables_->Find(name);
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::vector<InterfaceAddress> NetworkNamespace::Addresses() const {
  ReaderMutexLock lock(&mu_);
  return tables_->addresses;
}

std::vector<Route> NetworkNamespace::Routes() const {
  ReaderMutexLock lock(&mu_);
  return tables_->routes;
}

std::vector<Neighbour> NetworkNamespace::Neighbours() const {
  ReaderMutexLock lock(&mu_);
  return tables_->neighbours;
}

std::vector<Rule> NetworkNamespace::Rules() const {
  ReaderMutexLock lock(&mu_);
  return tables_->rules;
}

}  // namespace redoubt::net
