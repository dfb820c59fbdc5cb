// SPDX-License-Identifier: Apache-2.0
//
// SandboxLimits: what the sandbox as a whole may use, as its cgroup on the host has it. The sentry
// does not enforce memory and processor time (the host does); it shows them, so that programs that
// size themselves by the machine size themselves by this. It does enforce the number of tasks,
// which the host counts otherwise.
#ifndef SENTRY_KERNEL_SANDBOX_LIMITS_H_
#define SENTRY_KERNEL_SANDBOX_LIMITS_H_

#include <algorithm>
#include <cstdint>

namespace redoubt::kernel {

struct SandboxLimits {
  uint64_t memory_bytes = 0;  // 0: what the host has.
  int64_t cpu_quota_us = 0;   // In each period; 0: no quota.
  uint64_t cpu_period_us = 100'000;
  int tasks = 0;  // Threads and processes of the guest; 0: the sandbox's own bound.

  // How many processors a program should count on: a quota of 1.5 is two.
  unsigned VisibleCpus(unsigned host) const {
    if (cpu_quota_us <= 0 || cpu_period_us == 0) return host;
    auto quota = static_cast<uint64_t>(cpu_quota_us);
    uint64_t whole = quota / cpu_period_us + (quota % cpu_period_us != 0 ? 1 : 0);
    return static_cast<unsigned>(std::clamp<uint64_t>(whole, 1, host));
  }
  uint64_t VisibleMemory(uint64_t host) const {
    return memory_bytes == 0 ? host : std::min(memory_bytes, host);
  }
  int MostTasks(int bound) const { return tasks <= 0 ? bound : std::min(tasks, bound); }
};

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_SANDBOX_LIMITS_H_
