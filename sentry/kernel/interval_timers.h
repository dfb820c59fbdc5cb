// SPDX-License-Identifier: Apache-2.0
//
// A process's timers: setitimer(2), alarm(2) and timer_create(2).
#ifndef SENTRY_KERNEL_INTERVAL_TIMERS_H_
#define SENTRY_KERNEL_INTERVAL_TIMERS_H_

#include <cstdint>
#include <map>
#include <memory>

#include "abi/linux/signal.h"
#include "base/result.h"
#include "base/sync/mutex.h"

namespace redoubt::kernel {

class Task;
class ThreadGroup;

struct TimerSetting {
  int64_t value_ns = 0;     // Until it fires; 0: disarmed.
  int64_t interval_ns = 0;  // Between later ones; 0: once.
};

struct PosixTimerRequest {
  int clock_id = 0;
  int notify = 0;  // SIGEV_*.
  int signal = 0;
  uint64_t value = 0;
  bool value_is_id = false;  // timer_create(2) without a sigevent: the timer's own id.
  int thread_id = 0;
};

class IntervalTimers {
 public:
  explicit IntervalTimers(ThreadGroup* group);
  ~IntervalTimers();

  // ITIMER_REAL, VIRTUAL, PROF. Gives the old setting.
  Result<TimerSetting> GetItimer(int which);
  Result<TimerSetting> SetItimer(int which, TimerSetting setting);

  Result<int> Create(const PosixTimerRequest& request);  // EAGAIN beyond a bound.
  Result<void> Delete(int id);
  // `absolute` as TIMER_ABSTIME on the timer's clock.
  Result<TimerSetting> Set(int id, TimerSetting setting, bool absolute);
  Result<TimerSetting> Get(int id);
  Result<int> Overrun(int id);
  // A timer's signal was delivered, after `overrun` more expiries. With TaskSet::mu_ held.
  void NoteDelivered(int id, int overrun);

  // RLIMIT_CPU, seconds of CPU time: SIGXCPU at `soft` and every second from then on, SIGKILL at
  // `hard`. kUnlimited for none.
  void SetCpuLimit(uint64_t soft, uint64_t hard);

  // exec deletes POSIX timers; exit everything.
  void DeletePosixTimers();
  void StopAll();

 private:
  class Timer;
  Result<std::shared_ptr<Timer>> Find(int id);
  Result<std::shared_ptr<Timer>> FindItimer(int which);

  ThreadGroup* const group_;
  Mutex<LockRank::kLeaf> mu_;  // Of the tables only.
  // ITIMER_REAL, VIRTUAL, PROF, and the two of RLIMIT_CPU.
  std::shared_ptr<Timer> itimers_[5] ABSL_GUARDED_BY(mu_);
  std::map<int, std::shared_ptr<Timer>> posix_ ABSL_GUARDED_BY(mu_);
  int next_id_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_INTERVAL_TIMERS_H_
