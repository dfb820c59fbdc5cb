// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/system_memory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sentry/fs/proc/memory_use.h"
#include "sentry/mm/memory_map.h"

namespace redoubt::proc {

Result<std::string> Meminfo(kernel::Kernel& kernel) {
  MemoryUse usage = SumMemoryUse(kernel);
  uint64_t total = kernel.memory_bytes() / 1024;
  uint64_t used = std::min(total, usage.anonymous_kib + usage.shared_kib);
  const std::pair<const char*, uint64_t> kLines[] = {
      {"MemTotal", total},
      {"MemFree", total - used},
      {"MemAvailable", total - std::min(total, usage.anonymous_kib)},
      {"Buffers", 0},
      {"Cached", usage.shared_kib},
      {"SwapCached", 0},
      {"Active", used},
      {"Inactive", 0},
      {"Active(anon)", usage.anonymous_kib},
      {"Inactive(anon)", 0},
      {"Active(file)", usage.shared_kib},
      {"Inactive(file)", 0},
      {"Unevictable", 0},
      {"Mlocked", 0},
      {"SwapTotal", 0},
      {"SwapFree", 0},
      {"Dirty", 0},
      {"Writeback", 0},
      {"AnonPages", usage.anonymous_kib},
      {"Mapped", usage.shared_kib},
      {"Shmem", 0},
      {"KReclaimable", 0},
      {"Slab", 0},
      {"SReclaimable", 0},
      {"SUnreclaim", 0},
      {"KernelStack", 0},
      {"PageTables", 0},
      {"CommitLimit", total / 2},
      {"Committed_AS", usage.anonymous_kib},
      {"VmallocTotal", 34359738367},
      {"VmallocUsed", 0},
      {"VmallocChunk", 0},
      {"AnonHugePages", 0},
      {"ShmemHugePages", 0},
  };
  std::string text;
  for (const auto& [name, kib] : kLines) {
    absl::StrAppendFormat(&text, "%-16s%8d kB\n", absl::StrCat(name, ":"), kib);
  }
  for (const char* name :
       {"HugePages_Total", "HugePages_Free", "HugePages_Rsvd", "HugePages_Surp"}) {
    absl::StrAppendFormat(&text, "%-16s%8d\n", absl::StrCat(name, ":"), 0);
  }
  absl::StrAppendFormat(&text, "%-16s%8d kB\n", "Hugepagesize:", 2048);
  return text;
}

Result<std::string> Vmstat(kernel::Kernel& kernel) {
  MemoryUse usage = SumMemoryUse(kernel);
  constexpr uint64_t kPageKib = mm::kPageSize / 1024;
  uint64_t total = kernel.memory_bytes() / 1024;
  uint64_t used = std::min(total, usage.anonymous_kib + usage.shared_kib);
  std::string text;
  absl::StrAppend(&text, "nr_free_pages ", (total - used) / kPageKib, "\nnr_anon_pages ",
                  usage.anonymous_kib / kPageKib, "\nnr_mapped ", usage.shared_kib / kPageKib,
                  "\nnr_file_pages ", usage.shared_kib / kPageKib, "\n");
  for (const char* name : {"nr_dirty", "nr_writeback", "pgpgin", "pgpgout", "pswpin", "pswpout",
                           "pgfault", "pgmajfault", "oom_kill"}) {
    absl::StrAppend(&text, name, " 0\n");
  }
  return text;
}

}  // namespace redoubt::proc
