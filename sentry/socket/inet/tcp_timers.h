// SPDX-License-Identifier: Apache-2.0
//
// TcpTimers: the few deadlines that TCP keeps where no segment is ever lost: a connect(2) that no
// accept(2) answers, a deferred connection without data, a closed end whose peer does not close,
// TCP_USER_TIMEOUT. One for each endpoint at most; all share one host timer.
//
//   TcpTimers::Get().Set(*this, now + delay);  // OnTimer() is called once, without locks.
//
// Holds no reference: an endpoint cancels its deadline before it goes. Set() and Cancel() may be
// called under an endpoint's lock.
#ifndef SENTRY_SOCKET_INET_TCP_TIMERS_H_
#define SENTRY_SOCKET_INET_TCP_TIMERS_H_

#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/sync/mutex.h"
#include "sentry/time/timer_queue.h"

namespace redoubt::inet {

class TcpEndpoint;

class TcpTimers {
 public:
  static TcpTimers& Get();
  // At boot. Without it (in unit tests) no deadline ever comes.
  void Start(time::TimerQueue& queue);

  // `deadline`: nanoseconds of the monotonic clock; replaces an earlier one.
  void Set(TcpEndpoint& endpoint, int64_t deadline);
  void Cancel(TcpEndpoint& endpoint);

 private:
  void Arm();
  void OnExpired();
  void RemoveLocked(TcpEndpoint& endpoint) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t EarliestLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  std::unique_ptr<time::Timer> timer_;  // Set at boot.
  Mutex<LockRank::kLeaf> mu_;
  absl::flat_hash_map<TcpEndpoint*, int64_t> deadlines_ ABSL_GUARDED_BY(mu_);
  std::set<std::pair<int64_t, TcpEndpoint*>> by_time_ ABSL_GUARDED_BY(mu_);
  int64_t armed_ ABSL_GUARDED_BY(mu_) = time::kNever;  // What timer_ was last told.
  bool arming_ ABSL_GUARDED_BY(mu_) = false;           // A thread tells it.
};

}  // namespace redoubt::inet

#endif  // SENTRY_SOCKET_INET_TCP_TIMERS_H_
