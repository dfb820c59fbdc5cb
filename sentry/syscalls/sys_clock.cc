// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_clock.h"

#include <sys/syscall.h>
#include <time.h>

#include <algorithm>

#include "sentry/kernel/restart.h"
#include "sentry/syscalls/cpu_clock.h"
#include "sentry/time/timer_queue.h"

namespace redoubt::syscalls {

namespace {

using time::Clock;

// What the host's CPU clocks tell.
constexpr int64_t kCpuClockResolution = 1;

// A deadline on `clock` as one on the monotonic clock, on which tasks sleep. When the realtime
// clock is set meanwhile, the sleeper looks again only when it wakes.
int64_t OnMonotonicClock(Clock clock, int64_t deadline) {
  if (clock == Clock::kMonotonic || deadline == time::kNever) return deadline;
  int64_t left = deadline - time::Now(clock);
  if (left <= 0) return 0;
  return time::DeadlineAfter(Clock::kMonotonic, left);
}

// Sleeps until `deadline` on `clock`: ERESTARTSYS when a signal comes first.
Result<void> SleepUntil(Task& task, Clock clock, int64_t deadline) {
  while (time::Now(clock) < deadline) {
    task.PrepareToSleep();
    Result<void> slept = task.Sleep(OnMonotonicClock(clock, deadline));
    if (!slept.ok() && !slept.Is(ETIMEDOUT)) return slept.error();
  }
  return {};
}

// A relative sleep, first time or again: tells what remains, and goes on with that when no handler
// runs.
SyscallResult SleepRelative(Task& task, Clock clock, int64_t deadline,
                            UserOut<abi::Timespec> remaining) {
  Result<void> slept = SleepUntil(task, clock, deadline);
  if (slept.ok()) return 0UL;
  int64_t left = std::max<int64_t>(deadline - time::Now(clock), 0);
  TRY(remaining.WriteIfSet(task, abi::FromNanoseconds(left)));
  task.SetRestart([clock, deadline, remaining](Task& t) {
    return SleepRelative(t, clock, deadline, remaining);
  });
  return Errno(kernel::ERESTART_RESTARTBLOCK);
}

}  // namespace

SyscallResult SysClockGettime(Task& task, ClockId clock, UserOut<abi::Timespec> time) {
  int64_t now;
  if (IsCpuClock(clock)) {
    CpuClock cpu = TRY(ResolveCpuClock(task, clock));
    if (cpu.of_thread) {
      // A sibling's clock cannot be read from here; its process's can.
      if (cpu.task.get() != &task) return Errno(EINVAL);
      return task.context().HostCall(
          {.number = SYS_clock_gettime, .arguments = {CLOCK_THREAD_CPUTIME_ID, time.address()}});
    }
    now = ProcessCpuTime(*cpu.task);
  } else {
    now = TRY(time::ReadClock(clock));
  }
  TRY(time.Write(task, abi::FromNanoseconds(now)));
  return 0UL;
}

SyscallResult SysClockGetres(Task& task, ClockId clock, UserOut<abi::Timespec> resolution) {
  int64_t nanoseconds = kCpuClockResolution;
  if (IsCpuClock(clock)) {
    TRY(ResolveCpuClock(task, clock));
  } else {
    nanoseconds = TRY(time::ClockResolution(clock));
  }
  TRY(resolution.WriteIfSet(task, abi::FromNanoseconds(nanoseconds)));
  return 0UL;
}

SyscallResult SysClockSettime(Task& task, ClockId clock, UserIn<abi::Timespec> user_time) {
  if (clock != CLOCK_REALTIME) return Errno(EINVAL);
  abi::Timespec time = TRY(user_time.Read(task));
  if (!time.IsValid()) return Errno(EINVAL);
  return Errno(EPERM);  // The clock is the host's.
}

SyscallResult SysGettimeofday(Task& task, UserOut<abi::Timeval> time, UserOut<uint64_t> zone) {
  if (time) TRY(time.Write(task, abi::TimevalFromNanoseconds(time::Now(Clock::kRealtime))));
  TRY(zone.WriteIfSet(task, 0));  // struct timezone: two zero words.
  return 0UL;
}

SyscallResult SysTime(Task& task, UserOut<int64_t> time) {
  int64_t seconds = time::Now(Clock::kRealtime) / abi::kNanosecondsPerSecond;
  TRY(time.WriteIfSet(task, seconds));
  return static_cast<uint64_t>(seconds);
}

SyscallResult SysNanosleep(Task& task, UserIn<abi::Timespec> request,
                           UserOut<abi::Timespec> remaining) {
  return SysClockNanosleep(task, {CLOCK_MONOTONIC}, 0, request, remaining);
}

SyscallResult SysClockNanosleep(Task& task, ClockId clock_id, int32_t flags,
                                UserIn<abi::Timespec> request, UserOut<abi::Timespec> remaining) {
  if (IsCpuClock(clock_id)) return Errno(EOPNOTSUPP);
  Result<Clock> timer_clock = time::TimerClock(clock_id);
  // Clocks that only can be read (CLOCK_MONOTONIC_RAW) are told from those that are none.
  if (!timer_clock.ok()) return Errno(time::ReadClock(clock_id).ok() ? EOPNOTSUPP : EINVAL);
  Clock clock = *timer_clock;
  abi::Timespec time = TRY(request.Read(task));
  if (!time.IsValid()) return Errno(EINVAL);
  int64_t nanoseconds = abi::ToNanoseconds(time);
  if ((flags & TIMER_ABSTIME) == 0) {
    // A relative sleep is not moved when the realtime clock is set.
    if (clock == Clock::kRealtime) clock = Clock::kMonotonic;
    return SleepRelative(task, clock, time::DeadlineAfter(clock, nanoseconds), remaining);
  }
  if (!SleepUntil(task, clock, nanoseconds).ok()) return Errno(kernel::ERESTARTNOHAND);
  return 0UL;
}

}  // namespace redoubt::syscalls
