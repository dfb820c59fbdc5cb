// SPDX-License-Identifier: Apache-2.0
#include <time.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runsc/cgroup/files.h"
#include "runsc/cgroup/stats.h"
#include "runsc/cgroup/v1.h"

namespace redoubt::cgroup {

namespace {

using Json = nlohmann::json;

uint64_t Number(const std::string& directory, const std::string& file) {
  return ReadNumber(directory, file).value_or(0);
}

// cpuacct.stat counts in clock ticks; the finer files are not on every kernel.
uint64_t CpuPart(const std::string& directory, const char* fine_file, const char* coarse_key) {
  Result<uint64_t> fine = ReadNumber(directory, fine_file);
  if (fine.ok()) return *fine;
  const uint64_t tick_ns = 1000000000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return ReadKeyed(directory, "cpuacct.stat")[coarse_key] * tick_ns;
}

Json CpuStats(const std::string& cpu, const std::string& cpuacct) {
  Json usage = {{"kernel", 0}, {"user", 0}};
  if (!cpuacct.empty()) {
    SetUnlessZero(usage, "total", Number(cpuacct, "cpuacct.usage"));
    usage["kernel"] = CpuPart(cpuacct, "cpuacct.usage_sys", "system");
    usage["user"] = CpuPart(cpuacct, "cpuacct.usage_user", "user");
    for (auto [key, file] : {std::pair("percpu", "cpuacct.usage_percpu"),
                             std::pair("percpu_kernel", "cpuacct.usage_percpu_sys"),
                             std::pair("percpu_user", "cpuacct.usage_percpu_user")}) {
      std::vector<uint64_t> values = ReadNumbers(cpuacct, file);
      if (!values.empty()) usage[key] = values;
    }
  }
  Json throttling = Json::object();
  if (!cpu.empty()) {
    auto values = ReadKeyed(cpu, "cpu.stat");
    SetUnlessZero(throttling, "periods", values["nr_periods"]);
    SetUnlessZero(throttling, "throttledPeriods", values["nr_throttled"]);
    SetUnlessZero(throttling, "throttledTime", values["throttled_time"]);
  }
  return {{"usage", usage}, {"throttling", throttling}};
}

Json CpusetStats(const std::string& directory) {
  Json stats = Json::object();
  auto set_of = [&](const char* key, const char* file) {
    Json numbers = NumberSet(ReadFile(Join(directory, file)).value_or(""));
    if (!numbers.empty()) stats[key] = std::move(numbers);
  };
  set_of("cpus", "cpuset.cpus");
  set_of("mems", "cpuset.mems");
  for (const char* key : {"cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_spread_page",
                          "memory_spread_slab", "memory_pressure", "sched_load_balance",
                          "sched_relax_domain_level"}) {
    stats[key] = directory.empty() ? 0 : Number(directory, absl::StrCat("cpuset.", key));
  }
  stats["memory_migrate"] = directory.empty() ? 0 : Number(directory, "cpuset.memory_migrate");
  std::string level = ReadFile(Join(directory, "cpuset.sched_relax_domain_level")).value_or("");
  if (absl::StartsWith(level, "-")) stats["sched_relax_domain_level"] = -1;
  return stats;
}

Json MemoryOf(const std::string& directory, const std::string& prefix) {
  std::string limit = prefix + "limit_in_bytes";
  if (!Exists(Join(directory, limit))) return MemoryEntry(0, 0, 0, 0);
  return MemoryEntry(Number(directory, prefix + "usage_in_bytes"),
                     Number(directory, prefix + "max_usage_in_bytes"), Number(directory, limit),
                     Number(directory, prefix + "failcnt"));
}

Json MemoryStats(const std::string& directory) {
  Json stats = {{"usage", MemoryOf(directory, "memory.")},
                {"swap", MemoryOf(directory, "memory.memsw.")},
                {"kernel", MemoryOf(directory, "memory.kmem.")},
                {"kernelTCP", MemoryOf(directory, "memory.kmem.tcp.")}};
  auto raw = ReadKeyed(directory, "memory.stat");
  SetUnlessZero(stats, "cache", raw["cache"]);
  stats["raw"] = raw;
  return stats;
}

// "8:0 Read 4096"; the last line is "Total 4096" without a device.
Json BlockEntries(const std::string& directory, const std::string& file) {
  Json entries = Json::array();
  std::string text = ReadFile(Join(directory, file)).value_or("");
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(": "));
    uint64_t major, minor, value;
    if (words.size() < 3 || !absl::SimpleAtoi(words[0], &major) ||
        !absl::SimpleAtoi(words[1], &minor) || !absl::SimpleAtoi(words.back(), &value)) {
      continue;
    }
    entries.push_back(BlockEntry(major, minor, words.size() == 4 ? words[2] : "", value));
  }
  return entries;
}

Json BlockStats(const std::string& directory) {
  Json stats = Json::object();
  auto first_of = [&](const char* key, std::initializer_list<const char*> files) {
    for (const char* file : files) {
      Json entries = BlockEntries(directory, file);
      if (entries.empty()) continue;
      stats[key] = std::move(entries);
      return;
    }
  };
  first_of("ioServiceBytesRecursive",
           {"blkio.bfq.io_service_bytes_recursive", "blkio.throttle.io_service_bytes_recursive",
            "blkio.throttle.io_service_bytes"});
  first_of("ioServicedRecursive",
           {"blkio.bfq.io_serviced_recursive", "blkio.throttle.io_serviced_recursive",
            "blkio.throttle.io_serviced"});
  first_of("ioQueueRecursive", {"blkio.bfq.io_queued_recursive"});
  first_of("ioServiceTimeRecursive", {"blkio.bfq.io_service_time_recursive"});
  first_of("ioWaitTimeRecursive", {"blkio.bfq.io_wait_time_recursive"});
  first_of("ioMergedRecursive", {"blkio.bfq.io_merged_recursive"});
  first_of("ioTimeRecursive", {"blkio.bfq.time_recursive"});
  first_of("sectorsRecursive", {"blkio.bfq.sectors_recursive"});
  return stats;
}

Json PidsStats(const std::string& directory) {
  Json stats = Json::object();
  if (directory.empty()) return stats;
  SetUnlessZero(stats, "current", Number(directory, "pids.current"));
  uint64_t limit = Number(directory, "pids.max");
  if (limit != UINT64_MAX) SetUnlessZero(stats, "limit", limit);
  return stats;
}

Json HugetlbStats(const std::string& directory) {
  Json stats = Json::object();
  if (directory.empty()) return stats;
  for (const std::string& size : Subdirectories("/sys/kernel/mm/hugepages")) {
    // .../hugepages-2048kB is "2MB" in the cgroup's files.
    uint64_t kib;
    std::string text = size.substr(size.rfind('-') + 1);
    if (text.size() < 3 || !absl::SimpleAtoi(text.substr(0, text.size() - 2), &kib)) continue;
    std::string name = kib >= (1 << 20)   ? absl::StrCat(kib >> 20, "GB")
                       : kib >= (1 << 10) ? absl::StrCat(kib >> 10, "MB")
                                          : absl::StrCat(kib, "KB");
    std::string prefix = absl::StrCat("hugetlb.", name, ".");
    if (!Exists(Join(directory, prefix + "usage_in_bytes"))) continue;
    Json entry = {{"failcnt", Number(directory, prefix + "failcnt")}};
    SetUnlessZero(entry, "usage", Number(directory, prefix + "usage_in_bytes"));
    SetUnlessZero(entry, "max", Number(directory, prefix + "max_usage_in_bytes"));
    stats[name] = std::move(entry);
  }
  return stats;
}

}  // namespace

absl::StatusOr<Json> V1Cgroup::Stats() {
  Json stats = {{"cpu", CpuStats(PathOf("cpu"), PathOf("cpuacct"))},
                {"cpuset", CpusetStats(PathOf("cpuset"))},
                {"memory", MemoryStats(PathOf("memory"))},
                {"pids", PidsStats(PathOf("pids"))},
                {"blkio", BlockStats(PathOf("blkio"))},
                {"hugetlb", HugetlbStats(PathOf("hugetlb"))}};
  AddEmptyParts(stats);
  return stats;
}

}  // namespace redoubt::cgroup
