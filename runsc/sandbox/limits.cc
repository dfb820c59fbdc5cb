// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/limits.h"

#include <algorithm>
#include <climits>

namespace redoubt::runsc {

kernel::SandboxLimits LimitsOf(const oci::LinuxResources& resources) {
  kernel::SandboxLimits limits;
  limits.memory_bytes =
      static_cast<uint64_t>(std::max<int64_t>(0, resources.memory.limit.value_or(0)));
  limits.cpu_quota_us = std::max<int64_t>(0, resources.cpu.quota.value_or(0));
  if (resources.cpu.period.value_or(0) != 0) limits.cpu_period_us = *resources.cpu.period;
  limits.tasks =
      static_cast<int>(std::clamp<int64_t>(resources.pids_limit.value_or(0), 0, INT_MAX));
  return limits;
}

boot::SetLimits LimitChange(const oci::LinuxResources& resources) {
  kernel::SandboxLimits limits = LimitsOf(resources);
  boot::SetLimits change;
  if (resources.memory.limit.has_value()) change.set_memory_bytes(limits.memory_bytes);
  if (resources.cpu.quota.has_value()) {
    change.set_cpu_quota_us(static_cast<uint64_t>(limits.cpu_quota_us));
  }
  if (resources.cpu.period.has_value()) change.set_cpu_period_us(limits.cpu_period_us);
  if (resources.pids_limit.has_value()) change.set_tasks(static_cast<uint32_t>(limits.tasks));
  return change;
}

}  // namespace redoubt::runsc
