// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/memory_use.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

#include "sentry/mm/memory_map.h"

namespace redoubt::proc {

namespace {

std::vector<RefPtr<mm::MemoryMap>> AllMemories(kernel::Kernel& kernel) {
  std::vector<RefPtr<mm::MemoryMap>> memories;
  {
    MutexLock lock(&kernel.tasks().mu_);
    for (const RefPtr<kernel::ThreadGroup>& group : kernel.tasks().GroupsLocked()) {
      if (group->tasks.empty()) continue;
      if (auto memory = group->tasks.front()->memory()) memories.push_back(std::move(memory));
    }
  }
  // vfork(2) lets two processes share one.
  auto by_address = [](const auto& a, const auto& b) { return a.get() < b.get(); };
  std::sort(memories.begin(), memories.end(), by_address);
  memories.erase(std::unique(memories.begin(), memories.end()), memories.end());
  return memories;
}

}  // namespace

MemoryUse SumMemoryUse(kernel::Kernel& kernel) {
  constexpr uint64_t kPageKib = mm::kPageSize / 1024;
  MemoryUse usage;
  for (const RefPtr<mm::MemoryMap>& memory : AllMemories(kernel)) {
    Result<std::string> statm = memory->Statm();
    uint64_t resident = 0, shared = 0;
    if (!statm.ok()) continue;
    if (sscanf(statm->c_str(), "%*u %" SCNu64 " %" SCNu64, &resident, &shared) != 2) continue;
    shared = std::min(shared, resident);
    usage.anonymous_kib += (resident - shared) * kPageKib;
    usage.shared_kib += shared * kPageKib;
  }
  return usage;
}

}  // namespace redoubt::proc
