// SPDX-License-Identifier: Apache-2.0
//
// CPU-time clocks: CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, and those made of a pid
// (clock_getcpuclockid(3)).
#ifndef SENTRY_SYSCALLS_CPU_CLOCK_H_
#define SENTRY_SYSCALLS_CPU_CLOCK_H_

#include <cstdint>

#include "sentry/syscalls/args.h"

namespace redoubt::syscalls {

// Whether `clock` is one of them by its number.
bool IsCpuClock(int clock);
// Whose time a CPU clock tells: a process or a thread.
struct CpuClock {
  bool of_thread = false;
  RefPtr<Task> task;
};
// EINVAL for a number that stands for no living task.
Result<CpuClock> ResolveCpuClock(Task& task, int clock);

// CPU time of the calling thread in nanoseconds. The host's answer lands in guest memory at
// `scratch`, 16 bytes that the guest gave for a result anyway.
Result<int64_t> ThreadCpuTime(Task& task, uint64_t scratch);
int64_t ProcessCpuTime(const Task& task);

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_CPU_CLOCK_H_
