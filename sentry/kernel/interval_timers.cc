// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/interval_timers.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "abi/linux/time.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_send.h"
#include "sentry/time/clock.h"
#include "sentry/time/timer_queue.h"

namespace redoubt::kernel {

namespace {

constexpr size_t kMaxPosixTimers = 1024;
// CPU-time timers are polled: how soon at the earliest they are looked at again.
constexpr int64_t kCpuPollNs = 1'000'000;

}  // namespace

// One timer. A CPU-time timer has its deadline on the process's CPU clock and wakes on the
// monotonic one to look at it: a process cannot use CPU faster than its threads run.
class IntervalTimers::Timer {
 public:
  Timer(ThreadGroup* group, SignalInfo info, bool cpu_clock, time::Clock clock, int thread_id)
      : group_(group),
        info_(info),
        cpu_clock_(cpu_clock),
        thread_id_(thread_id),
        timer_(group->kernel().timers(), clock, [this] { OnExpired(); }) {}

  int64_t Now() const {
    if (cpu_clock_) return static_cast<int64_t>(group_->CpuTimeNs());
    return time::Now(timer_.clock());
  }

  TimerSetting Get() {
    int64_t now = Now();
    MutexLock lock(&mu_);
    return GetLocked(now);
  }

  TimerSetting Set(TimerSetting setting, bool absolute) {
    int64_t now = Now();
    MutexLock lock(&mu_);
    TimerSetting old = GetLocked(now);
    interval_ns_ = setting.interval_ns;
    deadline_ = 0;
    set_overrun(0);
    if (setting.value_ns != 0) {
      bool overflows = !absolute && setting.value_ns > INT64_MAX - now;
      deadline_ = overflows ? INT64_MAX : setting.value_ns + (absolute ? 0 : now);
    }
    ArmLocked(now);
    return old;
  }

  int overrun() const { return overrun_.load(std::memory_order_relaxed); }
  void set_overrun(int overrun) { overrun_.store(overrun, std::memory_order_relaxed); }

 private:
  TimerSetting GetLocked(int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    TimerSetting setting;
    setting.interval_ns = interval_ns_;
    // An armed timer never shows 0, which would mean disarmed.
    if (deadline_ != 0) setting.value_ns = std::max<int64_t>(deadline_ - now, 1);
    return setting;
  }

  void ArmLocked(int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (deadline_ == 0) {
      timer_.Cancel();
    } else if (cpu_clock_) {
      int64_t left = std::max(deadline_ - now, kCpuPollNs);
      timer_.Set(time::DeadlineAfter(time::Clock::kMonotonic, left));
    } else {
      timer_.Set(deadline_);
    }
  }

  void OnExpired() {
    int64_t now = Now();
    SignalInfo info;
    {
      MutexLock lock(&mu_);
      if (deadline_ == 0) return;
      if (now < deadline_) {
        ArmLocked(now);
        return;
      }
      int64_t missed = 0;
      if (interval_ns_ == 0) {
        deadline_ = 0;
      } else {
        missed = (now - deadline_) / interval_ns_;
        deadline_ += (missed + 1) * interval_ns_;
        ArmLocked(now);
      }
      info = info_;
      if (info.code == SI_TIMER) {
        info.fields.timer.overrun = static_cast<int>(std::min<int64_t>(missed, INT32_MAX));
      }
    }
    if (info.signal != 0) Send(info);
  }

  void Send(const SignalInfo& info) {
    if (thread_id_ == 0) {
      (void)SendSignal(*group_, info);
      return;
    }
    Result<RefPtr<Task>> task = group_->kernel().tasks().Find(thread_id_);
    if (task.ok() && (*task)->group().get() == group_) (void)SendSignal(**task, info);
  }

  ThreadGroup* const group_;
  const SignalInfo info_;
  const bool cpu_clock_;
  const int thread_id_;
  Mutex<LockRank::kItimers> mu_;
  int64_t deadline_ ABSL_GUARDED_BY(mu_) = 0;  // On the timer's clock; 0: disarmed.
  int64_t interval_ns_ ABSL_GUARDED_BY(mu_) = 0;
  std::atomic<int> overrun_{0};  // Of the signal delivered last.
  time::Timer timer_;            // Last: its destructor waits for a callback that uses the rest.
};

IntervalTimers::IntervalTimers(ThreadGroup* group) : group_(group) {}

IntervalTimers::~IntervalTimers() = default;

Result<std::shared_ptr<IntervalTimers::Timer>> IntervalTimers::FindItimer(int which) {
  if (which < ITIMER_REAL || which > ITIMER_PROF) return Errno(EINVAL);
  constexpr int kSignals[] = {SIGALRM, SIGVTALRM, SIGPROF};
  MutexLock lock(&mu_);
  std::shared_ptr<Timer>& timer = itimers_[which];
  if (!timer) {
    timer = std::make_shared<Timer>(group_, KernelSignal(kSignals[which]), which != ITIMER_REAL,
                                    time::Clock::kMonotonic, 0);
  }
  return timer;
}

Result<TimerSetting> IntervalTimers::GetItimer(int which) {
  std::shared_ptr<Timer> timer = TRY(FindItimer(which));
  return timer->Get();
}

Result<TimerSetting> IntervalTimers::SetItimer(int which, TimerSetting setting) {
  std::shared_ptr<Timer> timer = TRY(FindItimer(which));
  return timer->Set(setting, false);
}

void IntervalTimers::SetCpuLimit(uint64_t soft, uint64_t hard) {
  constexpr int kSignals[] = {SIGXCPU, SIGKILL};
  const uint64_t limits[] = {soft, hard};
  for (size_t i = 0; i < 2; ++i) {
    constexpr uint64_t kMost = INT64_MAX / abi::kNanosecondsPerSecond;
    std::shared_ptr<Timer> old;
    std::shared_ptr<Timer> timer;
    if (limits[i] < kMost) {
      timer = std::make_shared<Timer>(group_, KernelSignal(kSignals[i]), true,
                                      time::Clock::kMonotonic, 0);
      // A limit of 0 means the first moment, not "disarmed".
      int64_t deadline = static_cast<int64_t>(limits[i]) * abi::kNanosecondsPerSecond;
      timer->Set({std::max<int64_t>(deadline, 1), abi::kNanosecondsPerSecond}, true);
    }
    MutexLock lock(&mu_);
    old = std::exchange(itimers_[3 + i], timer);
  }
}

Result<int> IntervalTimers::Create(const PosixTimerRequest& request) {
  bool cpu_clock =
      request.clock_id == CLOCK_PROCESS_CPUTIME_ID || request.clock_id == CLOCK_THREAD_CPUTIME_ID;
  time::Clock clock = time::Clock::kMonotonic;
  if (!cpu_clock) clock = TRY(time::TimerClock(request.clock_id));
  if (request.notify != SIGEV_NONE && (request.signal < 1 || request.signal > abi::kSignalCount)) {
    return Errno(EINVAL);
  }
  MutexLock lock(&mu_);
  if (posix_.size() >= kMaxPosixTimers) return Errno(EAGAIN);
  int id = next_id_++;
  SignalInfo info;
  info.signal = request.notify == SIGEV_NONE ? 0 : request.signal;
  info.code = SI_TIMER;
  info.fields.timer.timer_id = id;
  info.fields.timer.value = request.value_is_id ? static_cast<uint64_t>(id) : request.value;
  posix_[id] = std::make_shared<Timer>(group_, info, cpu_clock, clock, request.thread_id);
  return id;
}

Result<std::shared_ptr<IntervalTimers::Timer>> IntervalTimers::Find(int id) {
  MutexLock lock(&mu_);
  auto it = posix_.find(id);
  if (it == posix_.end()) return Errno(EINVAL);
  return it->second;
}

// The timers taken out below die after the lock is dropped: their destructors wait for callbacks.
Result<void> IntervalTimers::Delete(int id) {
  std::shared_ptr<Timer> timer = TRY(Find(id));
  MutexLock lock(&mu_);
  posix_.erase(id);
  return {};
}

Result<TimerSetting> IntervalTimers::Set(int id, TimerSetting setting, bool absolute) {
  std::shared_ptr<Timer> timer = TRY(Find(id));
  return timer->Set(setting, absolute);
}

Result<TimerSetting> IntervalTimers::Get(int id) {
  std::shared_ptr<Timer> timer = TRY(Find(id));
  return timer->Get();
}

Result<int> IntervalTimers::Overrun(int id) {
  std::shared_ptr<Timer> timer = TRY(Find(id));
  return timer->overrun();
}

void IntervalTimers::NoteDelivered(int id, int overrun) {
  // No reference is taken: it might become the last one, and a timer's end waits for callbacks that
  // want TaskSet::mu_.
  MutexLock lock(&mu_);
  auto it = posix_.find(id);
  if (it != posix_.end()) it->second->set_overrun(overrun);
}

void IntervalTimers::DeletePosixTimers() {
  std::map<int, std::shared_ptr<Timer>> timers;
  MutexLock lock(&mu_);
  std::swap(timers, posix_);
}

void IntervalTimers::StopAll() {
  DeletePosixTimers();
  for (std::shared_ptr<Timer>& slot : itimers_) {
    std::shared_ptr<Timer> timer;
    MutexLock lock(&mu_);
    std::swap(timer, slot);
  }
}

}  // namespace redoubt::kernel
