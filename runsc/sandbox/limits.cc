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

}  // namespace redoubt::runsc
