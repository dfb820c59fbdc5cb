// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/sys_timer.h"

#include <sys/timerfd.h>

#include "sentry/fs/timerfd/timerfd.h"
#include "sentry/kernel/interval_timers.h"
#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/install_file.h"

namespace redoubt::syscalls {

namespace {

using kernel::TimerSetting;

bool IsValid(const abi::Timeval& t) {
  return t.seconds >= 0 && t.microseconds >= 0 && t.microseconds < 1'000'000;
}

abi::IntervalTimerValue ToTimerValue(const TimerSetting& setting) {
  abi::IntervalTimerValue result;
  result.interval = abi::TimevalFromNanoseconds(setting.interval_ns);
  // What is armed never shows 0, which would mean disarmed.
  int64_t value = setting.value_ns;
  if (value > 0 && value < 1000) value = 1000;
  result.value = abi::TimevalFromNanoseconds(value);
  return result;
}

abi::IntervalTimerSpec ToTimerSpec(const TimerSetting& setting) {
  return {.interval = abi::FromNanoseconds(setting.interval_ns),
          .value = abi::FromNanoseconds(setting.value_ns)};
}

// good_sigevent(): EINVAL for a notification that Linux does not know.
Result<void> CheckEvent(Task& task, const SignalEvent& event) {
  switch (event.notify) {
    case SIGEV_NONE:
      return {};
    case SIGEV_SIGNAL | SIGEV_THREAD_ID: {
      Result<RefPtr<Task>> target = task.kernel().tasks().Find(event.thread_id);
      if (!target.ok() || (*target)->group() != task.group()) return Errno(EINVAL);
      break;
    }
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
      break;
    default:
      return Errno(EINVAL);
  }
  if (event.signal < 1 || event.signal > abi::kSignalCount) return Errno(EINVAL);
  return {};
}

}  // namespace

SyscallResult SysGetitimer(Task& task, int32_t which, UserOut<abi::IntervalTimerValue> value) {
  TimerSetting setting = TRY(task.group()->timers().GetItimer(which));
  TRY(value.Write(task, ToTimerValue(setting)));
  return 0UL;
}

SyscallResult SysSetitimer(Task& task, int32_t which, UserIn<abi::IntervalTimerValue> value,
                           UserOut<abi::IntervalTimerValue> old_value) {
  abi::IntervalTimerValue next;  // A null pointer disarms, as Linux still allows.
  if (value) next = TRY(value.Read(task));
  if (!IsValid(next.value) || !IsValid(next.interval)) return Errno(EINVAL);
  TimerSetting setting{.value_ns = abi::ToNanoseconds(next.value),
                       .interval_ns = abi::ToNanoseconds(next.interval)};
  TimerSetting old = TRY(task.group()->timers().SetItimer(which, setting));
  TRY(old_value.WriteIfSet(task, ToTimerValue(old)));
  return 0UL;
}

SyscallResult SysAlarm(Task& task, uint32_t seconds) {
  TimerSetting setting{.value_ns = int64_t{seconds} * abi::kNanosecondsPerSecond};
  TimerSetting old = TRY(task.group()->timers().SetItimer(ITIMER_REAL, setting));
  if (old.value_ns == 0) return 0UL;
  // To the nearest second, but never 0 for an armed one.
  int64_t left = (old.value_ns + abi::kNanosecondsPerSecond / 2) / abi::kNanosecondsPerSecond;
  return static_cast<uint64_t>(left == 0 ? 1 : left);
}

SyscallResult SysTimerCreate(Task& task, ClockId clock, UserIn<SignalEvent> user_event,
                             UserOut<int32_t> user_id) {
  kernel::PosixTimerRequest request{.clock_id = clock, .notify = SIGEV_SIGNAL, .signal = SIGALRM};
  request.value_is_id = true;
  if (user_event) {
    SignalEvent event = TRY(user_event.Read(task));
    TRY(CheckEvent(task, event));
    request.value_is_id = false;
    request.notify = event.notify;
    request.signal = event.signal;
    request.value = event.value;
    if ((event.notify & SIGEV_THREAD_ID) != 0) request.thread_id = event.thread_id;
  }
  kernel::IntervalTimers& timers = task.group()->timers();
  int id = TRY(timers.Create(request));
  if (!user_id.Write(task, id).ok()) {
    (void)timers.Delete(id);
    return Errno(EFAULT);
  }
  return 0UL;
}

SyscallResult SysTimerSettime(Task& task, int32_t id, int32_t flags,
                              UserIn<abi::IntervalTimerSpec> user_spec,
                              UserOut<abi::IntervalTimerSpec> old_spec) {
  if (!user_spec) return Errno(EINVAL);
  abi::IntervalTimerSpec spec = TRY(user_spec.Read(task));
  if (!spec.value.IsValid() || !spec.interval.IsValid()) return Errno(EINVAL);
  TimerSetting setting{.value_ns = abi::ToNanoseconds(spec.value),
                       .interval_ns = abi::ToNanoseconds(spec.interval)};
  bool absolute = (flags & TIMER_ABSTIME) != 0;
  TimerSetting old = TRY(task.group()->timers().Set(id, setting, absolute));
  TRY(old_spec.WriteIfSet(task, ToTimerSpec(old)));
  return 0UL;
}

SyscallResult SysTimerGettime(Task& task, int32_t id, UserOut<abi::IntervalTimerSpec> spec) {
  TimerSetting setting = TRY(task.group()->timers().Get(id));
  TRY(spec.Write(task, ToTimerSpec(setting)));
  return 0UL;
}

SyscallResult SysTimerGetoverrun(Task& task, int32_t id) {
  return static_cast<uint64_t>(TRY(task.group()->timers().Overrun(id)));
}

SyscallResult SysTimerDelete(Task& task, int32_t id) {
  TRY(task.group()->timers().Delete(id));
  return 0UL;
}

SyscallResult SysTimerfdCreate(Task& task, ClockId clock, uint32_t flags) {
  FileRef file = TRY(fs::TimerFd::Create(task.kernel().timers(), clock, flags));
  return InstallResult(task, std::move(file), (flags & TFD_CLOEXEC) != 0);
}

SyscallResult SysTimerfdSettime(Task& task, FdNumber fd, uint32_t flags,
                                UserIn<abi::IntervalTimerSpec> user_spec,
                                UserOut<abi::IntervalTimerSpec> old_spec) {
  abi::IntervalTimerSpec spec = TRY(user_spec.Read(task));
  if ((flags & ~uint32_t{TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET}) != 0 ||
      !spec.value.IsValid() || !spec.interval.IsValid()) {
    return Errno(EINVAL);
  }
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  auto* timer = dynamic_cast<fs::TimerFd*>(file.get());
  if (timer == nullptr) return Errno(EINVAL);
  abi::IntervalTimerSpec old = TRY(timer->SetTime(flags, spec));
  TRY(old_spec.WriteIfSet(task, old));
  return 0UL;
}

SyscallResult SysTimerfdGettime(Task& task, FdNumber fd, UserOut<abi::IntervalTimerSpec> spec) {
  FileRef file = TRY(task.fd_table()->GetForIo(fd));
  auto* timer = dynamic_cast<fs::TimerFd*>(file.get());
  if (timer == nullptr) return Errno(EINVAL);
  TRY(spec.Write(task, timer->GetTime()));
  return 0UL;
}

}  // namespace redoubt::syscalls
