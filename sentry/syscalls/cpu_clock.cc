// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/cpu_clock.h"

#include <sys/syscall.h>
#include <time.h>

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::syscalls {

namespace {

// A negative clock is ~pid << 3, a thread bit, and what is counted (include/linux/posix-timers.h).
constexpr int kThreadBit = 4, kWhichMask = 3, kDescriptorClock = 3;

}  // namespace

bool IsCpuClock(int clock) {
  if (clock >= 0) return clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
  return (clock & kWhichMask) != kDescriptorClock;
}

Result<CpuClock> ResolveCpuClock(Task& task, int clock) {
  if (!IsCpuClock(clock)) return Errno(EINVAL);
  CpuClock result{.task = RefPtr<Task>(&task)};
  if (clock >= 0) {
    result.of_thread = clock == CLOCK_THREAD_CPUTIME_ID;
    return result;
  }
  result.of_thread = (clock & kThreadBit) != 0;
  const int pid = ~(clock >> 3);
  if (pid == 0) return result;
  Result<RefPtr<Task>> found = task.kernel().tasks().Find(pid);
  if (!found.ok()) return Errno(EINVAL);
  result.task = *found;
  // Threads are seen by their own process only; processes by all.
  if (result.of_thread && result.task->group() != task.group()) return Errno(EINVAL);
  return result;
}

Result<int64_t> ThreadCpuTime(Task& task, uint64_t scratch) {
  TRY(task.context().HostCall(
      {.number = SYS_clock_gettime, .arguments = {CLOCK_THREAD_CPUTIME_ID, scratch}}));
  abi::Timespec time = TRY(task.CopyIn<abi::Timespec>(scratch));
  return abi::ToNanoseconds(time);
}

int64_t ProcessCpuTime(const Task& task) {
  return static_cast<int64_t>(task.group()->CpuTimeNs());
}

}  // namespace redoubt::syscalls
