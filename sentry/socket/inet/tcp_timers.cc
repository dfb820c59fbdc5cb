// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/inet/tcp_timers.h"

#include <algorithm>

#include "sentry/socket/inet/tcp_endpoint.h"

namespace redoubt::inet {

using net::Counter;

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kLongestRetry = 120;  // TCP_RTO_MAX, in seconds.

}  // namespace

TcpTimers& TcpTimers::Get() {
  static auto* timers = new TcpTimers;
  return *timers;
}

void TcpTimers::Start(time::TimerQueue& queue) {
  timer_ = std::make_unique<time::Timer>(queue, time::Clock::kMonotonic, [this] { OnExpired(); });
}

int64_t TcpTimers::EarliestLocked() const {
  return by_time_.empty() ? time::kNever : by_time_.begin()->first;
}

void TcpTimers::RemoveLocked(TcpEndpoint& endpoint) {
  const auto found = deadlines_.find(&endpoint);
  if (found == deadlines_.end()) return;
  by_time_.erase({found->second, &endpoint});
  deadlines_.erase(found);
}

void TcpTimers::Set(TcpEndpoint& endpoint, int64_t deadline) {
  if (!timer_) return;
  {
    MutexLock lock(&mu_);
    RemoveLocked(endpoint);
    deadlines_[&endpoint] = deadline;
    by_time_.emplace(deadline, &endpoint);
    if (deadline >= armed_) return;
  }
  Arm();
}

void TcpTimers::Cancel(TcpEndpoint& endpoint) {
  MutexLock lock(&mu_);
  RemoveLocked(endpoint);
}

// The timer's own lock is not below mu_, so it is told without, by one thread at a time: again,
// until what it was told last is what holds.
void TcpTimers::Arm() {
  bool mine = false;
  while (true) {
    int64_t wanted;
    {
      MutexLock lock(&mu_);
      if (arming_ && !mine) return;
      wanted = EarliestLocked();
      arming_ = wanted != armed_;
      if (!arming_) return;
      armed_ = wanted;
    }
    mine = true;
    timer_->Set(wanted);
  }
}

void TcpTimers::OnExpired() {
  const int64_t now = time::Now(time::Clock::kMonotonic);
  while (true) {
    RefPtr<TcpEndpoint> due;
    {
      MutexLock lock(&mu_);
      armed_ = time::kNever;
      if (EarliestLocked() > now) break;
      TcpEndpoint* endpoint = by_time_.begin()->second;
      RemoveLocked(*endpoint);
      if (endpoint->TryRef()) due = RefPtr<TcpEndpoint>::Adopt(endpoint);
    }
    if (due) due->OnTimer();
  }
  Arm();
}

// --- What endpoints do with their deadline. ---

void TcpEndpoint::SetTimer(int64_t delay) {
  has_timer_.store(true, std::memory_order_relaxed);
  TcpTimers::Get().Set(*this, time::DeadlineAfter(time::Clock::kMonotonic, delay));
}

void TcpEndpoint::CancelTimer() {
  if (has_timer_.exchange(false, std::memory_order_relaxed)) TcpTimers::Get().Cancel(*this);
}

// tcp_write_timeout(): SYNs go out after 1, 2, 4 ... seconds, and the last one is waited for too.
int64_t TcpEndpoint::ConnectPatience() const {
  int64_t retries = syn_retries_.load(std::memory_order_relaxed);
  if (retries == 0) retries = network_->settings().Get(net::Setting::kTcpSynRetries);
  int64_t seconds = 0, retry = 1;
  for (int64_t i = 0; i <= retries; ++i) {
    seconds += retry;
    retry = std::min(retry * 2, kLongestRetry);
  }
  const int64_t user = user_timeout_.load(std::memory_order_relaxed);
  return user == 0 ? seconds * kSecond : std::min(seconds * kSecond, user * kMillisecond);
}

// tcp_fin_time(): how long a closed end waits for the peer's close.
int64_t TcpEndpoint::OrphanPatience() const {
  const int64_t seconds = linger2_.load(std::memory_order_relaxed);
  if (seconds > 0) return seconds * kSecond;
  return network_->settings().Get(net::Setting::kTcpFinTimeout) * kSecond;
}

// Data that the peer has no window for wait for its reader, but no longer than TCP_USER_TIMEOUT.
void TcpEndpoint::WatchReader(TcpEndpoint& peer) {
  const int64_t user = user_timeout_.load(std::memory_order_relaxed);
  if (user == 0 || &peer == this || peer.queued_.load() <= peer.window()) return;
  if (has_timer_.exchange(true, std::memory_order_relaxed)) return;
  watched_ = peer.BytesRead();
  SetTimer(user * kMillisecond);
}

uint64_t TcpEndpoint::BytesRead() {
  MutexLock lock(&mu_);
  return read_sequence_;
}

void TcpEndpoint::OnTimer() {
  has_timer_.store(false, std::memory_order_relaxed);
  RefPtr<TcpEndpoint> listener, peer;
  bool refused = false;
  {
    MutexLock lock(&mu_);
    refused = state_ == TcpState::kSynSent;
    if (!refused && waits_for_) {
      listener = waits_for_;
    } else if (orphaned_ && state_ == TcpState::kFinWait2) {
      // The name is free again. The peer still knows us: what it sends is answered with RST.
      SetStateLocked(TcpState::kClose);
      ReleasePortLocked();
    } else if (!orphaned_ && user_timeout_ != 0) {
      peer = peer_;
    }
  }
  if (refused) {
    LeavePendingList();
    Refuse(ETIMEDOUT);
  } else if (listener) {
    listener->EndDeferral(RefPtr<TcpEndpoint>(this));
  } else if (peer && peer->queued_.load() > peer->window()) {
    if (watched_ != peer->BytesRead()) return WatchReader(*peer);
    network_->counters().Add(Counter::kTcpExtAbortOnTimeout);
    Abort(ETIMEDOUT);
  }
}

}  // namespace redoubt::inet
