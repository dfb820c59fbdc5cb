// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/system_cpu.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sentry/time/clock.h"

namespace redoubt::proc {

namespace {

constexpr int64_t kTickNs = 10'000'000;
constexpr int64_t kSecondNs = 1'000'000'000;

int64_t UptimeNs(kernel::Kernel& kernel) {
  return std::max<int64_t>(0, time::Now(time::Clock::kMonotonic) - kernel.boot_time_ns());
}

struct CpuTicks {
  int64_t busy = 0;
  int64_t idle = 0;
};

// Since the start, of all processors. A process that nobody waits for takes its time with it: the
// sum must not go back all the same, since readers look at differences.
CpuTicks SumTicks(kernel::Kernel& kernel) {
  static std::atomic<int64_t> highest{0};
  uint64_t used = 0;
  for (const RefPtr<kernel::ThreadGroup>& group : kernel.tasks().Groups()) {
    used += group->CpuTimeNs() + group->ChildrenUsage().user_ns;
  }
  CpuTicks ticks;
  ticks.busy = static_cast<int64_t>(used) / kTickNs;
  int64_t before = highest.load();
  while (before < ticks.busy && !highest.compare_exchange_weak(before, ticks.busy)) {
  }
  ticks.busy = std::max(before, ticks.busy);
  ticks.idle = UptimeNs(kernel) / kTickNs * kernel.cpu_count() - ticks.busy;
  ticks.idle = std::max<int64_t>(ticks.idle, 0);
  return ticks;
}

struct TaskCounts {
  int running = 0;
  int all = 0;
  int last_pid = 0;
};

TaskCounts CountTasks(kernel::Kernel& kernel) {
  std::vector<RefPtr<kernel::Task>> tasks;
  {
    MutexLock lock(&kernel.tasks().mu_);
    for (const RefPtr<kernel::ThreadGroup>& group : kernel.tasks().GroupsLocked()) {
      tasks.insert(tasks.end(), group->tasks.begin(), group->tasks.end());
    }
  }
  TaskCounts counts;
  counts.all = static_cast<int>(tasks.size());
  for (const RefPtr<kernel::Task>& task : tasks) {
    if (task->StateLetter() == 'R') ++counts.running;
    counts.last_pid = std::max(counts.last_pid, task->tid());
  }
  return counts;
}

}  // namespace

// The sentry knows neither system time nor interrupts nor how a process moved between processors:
// all time is user time, spread evenly.
Result<std::string> SystemStat(kernel::Kernel& kernel) {
  CpuTicks ticks = SumTicks(kernel);
  TaskCounts tasks = CountTasks(kernel);
  int64_t cpus = std::max(1u, kernel.cpu_count());
  std::string text = absl::StrFormat("cpu  %d 0 0 %d 0 0 0 0 0 0\n", ticks.busy, ticks.idle);
  for (int64_t cpu = 0; cpu < cpus; ++cpu) {
    absl::StrAppendFormat(&text, "cpu%d %d 0 0 %d 0 0 0 0 0 0\n", cpu, ticks.busy / cpus,
                          ticks.idle / cpus);
  }
  int64_t boot = (time::Now(time::Clock::kRealtime) - UptimeNs(kernel)) / kSecondNs;
  absl::StrAppend(&text, "intr 0\nctxt 0\nbtime ", boot, "\nprocesses ", tasks.last_pid,
                  "\nprocs_running ", tasks.running,
                  "\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n");
  return text;
}

Result<std::string> Uptime(kernel::Kernel& kernel) {
  int64_t up = UptimeNs(kernel) / kTickNs, idle = SumTicks(kernel).idle;
  return absl::StrFormat("%d.%02d %d.%02d\n", up / 100, up % 100, idle / 100, idle % 100);
}

// Averages are not kept, as sysinfo(2) says too.
Result<std::string> Loadavg(kernel::Kernel& kernel) {
  TaskCounts tasks = CountTasks(kernel);
  return absl::StrFormat("0.00 0.00 0.00 %d/%d %d\n", tasks.running, tasks.all, tasks.last_pid);
}

}  // namespace redoubt::proc
