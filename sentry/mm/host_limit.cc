// SPDX-License-Identifier: Apache-2.0
#include "sentry/mm/host_limit.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/host/syscall.h"
#include "base/log.h"

namespace redoubt::mm {

void PassLimitToHost(const MemoryMap& memory, int resource, uint64_t current) {
  if (resource != RLIMIT_STACK && resource != RLIMIT_AS && resource != RLIMIT_MEMLOCK) return;
  const platform::AddressSpace& space = *memory.space();
  if (resource == RLIMIT_AS) {
    for (const platform::AddressRange& shim : memory.policy().shim_ranges) {
      uint64_t size = shim.end - shim.start;
      current = current > ~size ? ~uint64_t{0} : current + size;
    }
  }
  auto which = static_cast<__rlimit_resource>(resource);
  rlimit64 host{};
  auto result = host::Call([&] { return prlimit64(space.host_pid(), which, nullptr, &host); });
  if (result.ok()) {
    host.rlim_cur = std::min<uint64_t>(current, host.rlim_max);
    result = host::Call([&] { return prlimit64(space.host_pid(), which, &host, nullptr); });
  }
  if (!result.ok()) VLOG("limit %d is not enforced by the host", resource);
}

}  // namespace redoubt::mm
