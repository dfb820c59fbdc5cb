// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/port_table.h"

#include <algorithm>
#include <utility>

#include "sentry/socket/inet/inet_endpoint.h"
#include "sentry/time/clock.h"

namespace redoubt::inet {

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kTimeWaitLength = 60 * kSecond;  // TCP_TIMEWAIT_LEN.
constexpr int64_t kReusableAfter = kSecond;        // net.ipv4.tcp_tw_reuse on loopback.
constexpr size_t kMostTimeWaits = 16384;           // Beyond, the oldest go early.

bool TakesV4(const Binding& b) {
  return b.address.is_v4() || (b.address.IsUnspecified() && !b.v6_only);
}
bool TakesV6(const Binding& b) { return b.address.is_v6(); }

// ipv6_rcv_saddr_equal() with wildcards: whether a packet could be for either.
bool Overlap(const Binding& a, const Binding& b) {
  const bool any_a = a.address.IsUnspecified();
  const bool any_b = b.address.IsUnspecified();
  if (any_a && any_b) return (TakesV4(a) && TakesV4(b)) || (TakesV6(a) && TakesV6(b));
  if (any_a) return b.address.is_v4() ? TakesV4(a) : TakesV6(a);
  if (any_b) return a.address.is_v4() ? TakesV4(b) : TakesV6(b);
  return a.address == b.address;
}

int64_t Now() { return time::Now(time::Clock::kMonotonic); }

}  // namespace

bool Binding::Accepts(const IpAddress& destination) const {
  if (!address.IsUnspecified()) return address == destination;
  return destination.is_v4() ? TakesV4(*this) : TakesV6(*this);
}

PortTable::PortTable(Kind kind, const net::Settings* settings)
    : kind_(kind),
      settings_(settings),
      random_(static_cast<uint64_t>(Now()) ^ reinterpret_cast<uintptr_t>(this)) {}

PortTable::~PortTable() = default;

// Which port comes next need not be a secret between guests of one sandbox (splitmix64).
uint32_t PortTable::RandomLocked() {
  uint64_t z = random_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return static_cast<uint32_t>(z >> 32);
}

PortTable::Range PortTable::RangeLocked() {
  int64_t first = 1, last = 65535;
  if (settings_ != nullptr) {
    first = std::clamp<int64_t>(settings_->Get(net::Setting::kLocalPortRange, 0), 1, 65535);
    last = std::clamp<int64_t>(settings_->Get(net::Setting::kLocalPortRange, 1), first, 65535);
  }
  const auto count = static_cast<uint32_t>(last - first + 1);
  return {static_cast<uint32_t>(first), count, RandomLocked() % count};
}

// `strict`: for a port that we choose, nothing is shared.
bool PortTable::Conflict(const Binding& a, const Binding& b, bool strict) const {
  if (&a == &b) return false;
  if (a.device != 0 && b.device != 0 && a.device != b.device) return false;
  if (!Overlap(a, b)) return false;
  if (strict) return true;
  const bool time_wait = b.owner == nullptr;
  const bool ports_shared = a.reuse_port && b.reuse_port && (time_wait || a.uid == b.uid);
  if (a.reuse_address && b.reuse_address && !b.listening) return false;
  return !ports_shared;
}

bool PortTable::ConflictsLocked(const Binding& binding, uint16_t port, bool strict) const {
  const auto found = buckets_.find(port);
  if (found == buckets_.end()) return false;
  for (const Binding* b = found->second.first; b != nullptr; b = b->next) {
    if (Conflict(binding, *b, strict)) return true;
  }
  return false;
}

bool PortTable::OnlyConnectedLocked(uint16_t port) const {
  const auto found = buckets_.find(port);
  if (found == buckets_.end()) return true;
  for (const Binding* b = found->second.first; b != nullptr; b = b->next) {
    if (!b->by_connect) return false;
  }
  return true;
}

void PortTable::InsertLocked(Binding& binding, uint16_t port) {
  Bucket& bucket = buckets_[port];
  binding.port = port;
  binding.previous = nullptr;
  binding.next = bucket.first;
  if (bucket.first != nullptr) bucket.first->previous = &binding;
  bucket.first = &binding;
}

void PortTable::RemoveLocked(Binding& binding) {
  if (binding.port == 0) return;
  const auto found = buckets_.find(binding.port);
  CHECK(found != buckets_.end());
  if (binding.previous != nullptr) binding.previous->next = binding.next;
  if (binding.next != nullptr) binding.next->previous = binding.previous;
  if (found->second.first == &binding) found->second.first = binding.next;
  if (found->second.first == nullptr) buckets_.erase(found);
  binding.port = 0;
  binding.previous = binding.next = nullptr;
  binding.listening = false;
}

Result<uint16_t> PortTable::Bind(Binding& binding, uint16_t port) {
  MutexLock lock(&mu_);
  ExpireLocked();
  if (port != 0) {
    if (ConflictsLocked(binding, port, false)) return Errno(EADDRINUSE);
    InsertLocked(binding, port);
    return port;
  }
  // As inet_csk_find_open_port(): from anywhere, odd ports first; connect(2) likes even ones.
  const Range range = RangeLocked();
  for (uint32_t parity : {1u, 0u}) {
    for (uint32_t i = 0; i < range.count; ++i) {
      const uint16_t candidate = range.At(i);
      if ((candidate & 1) != parity || ConflictsLocked(binding, candidate, true)) continue;
      InsertLocked(binding, candidate);
      return candidate;
    }
  }
  return Errno(EADDRINUSE);
}

Result<uint16_t> PortTable::BindForConnect(Binding& binding, const InetName& remote) {
  MutexLock lock(&mu_);
  ExpireLocked();
  const Range range = RangeLocked();
  binding.by_connect = true;
  for (uint32_t parity : {0u, 1u}) {
    for (uint32_t i = 0; i < range.count; ++i) {
      const uint16_t candidate = range.At(i);
      if ((candidate & 1) != parity || !OnlyConnectedLocked(candidate)) continue;
      if (!ClaimLocked({{binding.address, candidate}, remote}, false)) continue;
      InsertLocked(binding, candidate);
      return candidate;
    }
  }
  binding.by_connect = false;
  return Errno(EADDRNOTAVAIL);
}

Result<void> PortTable::BindAccepted(Binding& binding, uint16_t port, const InetName& remote) {
  MutexLock lock(&mu_);
  if (!ClaimLocked({{binding.address, port}, remote}, true)) return Errno(EADDRINUSE);
  InsertLocked(binding, port);
  return {};
}

void PortTable::Unbind(Binding& binding) {
  MutexLock lock(&mu_);
  RemoveLocked(binding);
}

Result<void> PortTable::Listen(Binding& binding) {
  MutexLock lock(&mu_);
  if (ConflictsLocked(binding, binding.port, false)) return Errno(EADDRINUSE);
  binding.listening = true;
  return {};
}

void PortTable::Update(Binding& binding, const std::function<void(Binding&)>& change) {
  MutexLock lock(&mu_);
  change(binding);
}

bool PortTable::ClaimLocked(const ConnectionName& name, bool at_once) {
  auto [place, inserted] = claimed_.try_emplace(name);
  if (inserted) return true;
  TimeWait* old = place->second.time_wait;
  if (old == nullptr || (!at_once && Now() - old->since_ns < kReusableAfter)) return false;
  EndTimeWaitLocked(old);
  claimed_.try_emplace(name);
  return true;
}

Result<void> PortTable::Claim(const ConnectionName& name) {
  MutexLock lock(&mu_);
  ExpireLocked();
  if (!ClaimLocked(name, false)) return Errno(EADDRNOTAVAIL);
  return {};
}

void PortTable::Unclaim(const ConnectionName& name) {
  MutexLock lock(&mu_);
  const auto found = claimed_.find(name);
  if (found != claimed_.end() && found->second.time_wait == nullptr) claimed_.erase(found);
}

void PortTable::EnterTimeWait(const ConnectionName& name, const Binding& binding, int family) {
  MutexLock lock(&mu_);
  auto entry = std::make_unique<TimeWait>(
      TimeWait{.name = name, .binding = binding, .family = family, .since_ns = Now()});
  entry->binding.owner = nullptr;
  entry->binding.listening = false;
  const auto found = claimed_.find(name);
  if (found == claimed_.end() || found->second.time_wait != nullptr) return;
  found->second.time_wait = entry.get();
  InsertLocked(entry->binding, name.local.port);
  time_waits_.push_back(std::move(entry));
  ExpireLocked();
}

// Takes it out of the tables; its husk (without a port) leaves the queue in its turn.
void PortTable::EndTimeWaitLocked(TimeWait* time_wait) {
  if (time_wait->binding.port == 0) return;
  claimed_.erase(time_wait->name);
  RemoveLocked(time_wait->binding);
}

void PortTable::ExpireLocked() {
  if (time_waits_.empty()) return;
  const int64_t now = Now();
  while (!time_waits_.empty() && (now - time_waits_.front()->since_ns >= kTimeWaitLength ||
                                  time_waits_.size() > kMostTimeWaits)) {
    EndTimeWaitLocked(time_waits_.front().get());
    time_waits_.pop_front();
  }
}

// compute_score(): -1 for not at all; the closer the match, the more.
int PortTable::Score(const Binding& binding, const PortQuery& query) const {
  if (!binding.Accepts(query.destination.address)) return -1;
  int score = 0;
  if (binding.device != 0) {
    if (binding.device != query.device) return -1;
    score += 4;
  }
  if (binding.remote.port != 0) {
    if (!(binding.remote == query.source)) return -1;
    score += 8;
  }
  if (!binding.address.IsUnspecified()) score += 16;
  // A socket of the packet's own family before a dual one.
  if (binding.address.is_v4() == query.destination.address.is_v4()) score += 1;
  return score;
}

template <typename Filter>
RefPtr<InetEndpoint> PortTable::FindBest(const PortQuery& query, Filter filter) {
  ReaderMutexLock lock(&mu_);
  const auto found = buckets_.find(query.destination.port);
  if (found == buckets_.end()) return nullptr;
  Binding* best = nullptr;
  int best_score = -1;
  uint32_t sharers = 0;
  // Of `n` that share a port each is taken for 1/n of the sources.
  uint64_t hash = absl::HashOf(query.source, query.destination);
  for (Binding* b = found->second.first; b != nullptr; b = b->next) {
    if (!filter(*b)) continue;
    const int score = Score(*b, query);
    if (score < 0 || score < best_score) continue;
    if (score > best_score) {
      best = b;
      best_score = score;
      sharers = 1;
      continue;
    }
    if (!b->reuse_port || !best->reuse_port) continue;
    ++sharers;
    hash = hash * 6364136223846793005u + 1442695040888963407u;
    if ((hash >> 33) % sharers == 0) best = b;
  }
  if (best == nullptr || !best->owner->TryRef()) return nullptr;
  return RefPtr<InetEndpoint>::Adopt(best->owner);
}

RefPtr<InetEndpoint> PortTable::FindListener(const PortQuery& query) {
  return FindBest(query, [](const Binding& b) { return b.listening; });
}

RefPtr<InetEndpoint> PortTable::FindReceiver(const PortQuery& query) {
  return FindBest(query, [](const Binding& b) { return b.owner != nullptr; });
}

std::vector<RefPtr<InetEndpoint>> PortTable::FindAllReceivers(const PortQuery& query) {
  std::vector<RefPtr<InetEndpoint>> receivers;
  ReaderMutexLock lock(&mu_);
  const auto found = buckets_.find(query.destination.port);
  if (found == buckets_.end()) return receivers;
  for (Binding* b = found->second.first; b != nullptr; b = b->next) {
    if (b->owner == nullptr || Score(*b, query) < 0 || !b->owner->TryRef()) continue;
    receivers.push_back(RefPtr<InetEndpoint>::Adopt(b->owner));
  }
  return receivers;
}

std::vector<RefPtr<InetEndpoint>> PortTable::Endpoints() {
  std::vector<RefPtr<InetEndpoint>> endpoints;
  ReaderMutexLock lock(&mu_);
  for (const auto& [port, bucket] : buckets_) {
    for (Binding* b = bucket.first; b != nullptr; b = b->next) {
      if (b->owner == nullptr || !b->owner->TryRef()) continue;
      endpoints.push_back(RefPtr<InetEndpoint>::Adopt(b->owner));
    }
  }
  return endpoints;
}

std::vector<TimeWait> PortTable::TimeWaits() {
  std::vector<TimeWait> result;
  MutexLock lock(&mu_);
  ExpireLocked();
  for (const auto& entry : time_waits_) {
    if (entry->binding.port != 0) result.push_back(*entry);
  }
  return result;
}

}  // namespace redoubt::inet
