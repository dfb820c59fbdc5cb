// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runsc/cgroup/files.h"
#include "runsc/cgroup/stats.h"
#include "runsc/cgroup/v2.h"

namespace redoubt::cgroup {

namespace {

using Json = nlohmann::json;

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same for "full".
void AddPressure(Json& stats, const std::string& directory, const char* file) {
  Result<std::string> text = ReadFile(Join(directory, file));
  if (!text.ok()) return;
  Json pressure = Json::object();
  for (absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    std::vector<std::string> words = absl::StrSplit(line, ' ');
    Json entry = Json::object();
    for (size_t i = 1; i < words.size(); ++i) {
      std::vector<std::string> pair = absl::StrSplit(words[i], absl::MaxSplits('=', 1));
      double average;
      uint64_t total;
      if (pair.size() != 2) continue;
      if (pair[0] == "total" && absl::SimpleAtoi(pair[1], &total)) {
        entry["total"] = total;
      } else if (absl::SimpleAtod(pair[1], &average)) {
        entry[pair[0]] = average;
      }
    }
    pressure[words[0]] = std::move(entry);
  }
  if (!pressure.empty()) stats["psi"] = std::move(pressure);
}

Json CpuStats(const std::string& directory) {
  auto values = ReadKeyed(directory, "cpu.stat");
  Json usage = {{"kernel", values["system_usec"] * 1000}, {"user", values["user_usec"] * 1000}};
  SetUnlessZero(usage, "total", values["usage_usec"] * 1000);
  Json throttling = Json::object();
  SetUnlessZero(throttling, "periods", values["nr_periods"]);
  SetUnlessZero(throttling, "throttledPeriods", values["nr_throttled"]);
  SetUnlessZero(throttling, "throttledTime", values["throttled_usec"] * 1000);
  Json stats = {{"usage", usage}, {"throttling", throttling}};
  AddPressure(stats, directory, "cpu.pressure");
  return stats;
}

Json CpusetStats(const std::string& directory) {
  Json stats = {{"cpu_exclusive", 0},   {"mem_hardwall", 0},       {"mem_exclusive", 0},
                {"memory_migrate", 0},  {"memory_spread_page", 0}, {"memory_spread_slab", 0},
                {"memory_pressure", 0}, {"sched_load_balance", 0}, {"sched_relax_domain_level", 0}};
  for (auto [key, file] : {std::pair("cpus", "cpuset.cpus"), std::pair("mems", "cpuset.mems")}) {
    Json numbers = NumberSet(ReadFile(Join(directory, file)).value_or(""));
    if (!numbers.empty()) stats[key] = std::move(numbers);
  }
  return stats;
}

Json MemoryStats(const std::string& directory) {
  auto number = [&](const char* file) { return ReadNumber(directory, file).value_or(0); };
  uint64_t usage = number("memory.current"), limit = number("memory.max");
  uint64_t swap = number("memory.swap.current"), swap_limit = number("memory.swap.max");
  // v1's swap entry counts both together, and that is what readers expect.
  uint64_t both = swap_limit == UINT64_MAX || limit == UINT64_MAX ? UINT64_MAX : swap_limit + limit;
  auto raw = ReadKeyed(directory, "memory.stat");
  Json stats = {{"usage", MemoryEntry(usage, number("memory.peak"), limit, 0)},
                {"swap", MemoryEntry(swap + usage, 0, both, 0)},
                {"kernel", MemoryEntry(0, 0, 0, 0)},
                {"kernelTCP", MemoryEntry(0, 0, 0, 0)}};
  SetUnlessZero(stats, "cache", raw["file"]);
  stats["raw"] = raw;
  AddPressure(stats, directory, "memory.pressure");
  return stats;
}

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6"
Json BlockStats(const std::string& directory) {
  Json bytes = Json::array(), operations = Json::array();
  std::string text = ReadFile(Join(directory, "io.stat")).value_or("");
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(": "));
    uint64_t major, minor;
    if (words.size() < 3 || !absl::SimpleAtoi(words[0], &major) ||
        !absl::SimpleAtoi(words[1], &minor)) {
      continue;
    }
    for (size_t i = 2; i < words.size(); ++i) {
      std::vector<std::string> pair = absl::StrSplit(words[i], absl::MaxSplits('=', 1));
      uint64_t value;
      if (pair.size() != 2 || pair[0].empty() || !absl::SimpleAtoi(pair[1], &value)) continue;
      const char* name = pair[0][0] == 'r' ? "Read" : pair[0][0] == 'w' ? "Write" : "Discard";
      Json& list = absl::EndsWith(pair[0], "bytes") ? bytes : operations;
      list.push_back(BlockEntry(major, minor, name, value));
    }
  }
  Json stats = Json::object();
  if (!bytes.empty()) stats["ioServiceBytesRecursive"] = std::move(bytes);
  if (!operations.empty()) stats["ioServicedRecursive"] = std::move(operations);
  AddPressure(stats, directory, "io.pressure");
  return stats;
}

Json PidsStats(const std::string& directory) {
  Json stats = Json::object();
  SetUnlessZero(stats, "current", ReadNumber(directory, "pids.current").value_or(0));
  uint64_t limit = ReadNumber(directory, "pids.max").value_or(0);
  if (limit != UINT64_MAX) SetUnlessZero(stats, "limit", limit);
  return stats;
}

}  // namespace

absl::StatusOr<Json> V2Cgroup::Stats() {
  std::string path = directory();
  Json stats = {{"cpu", CpuStats(path)},
                {"cpuset", CpusetStats(path)},
                {"memory", MemoryStats(path)},
                {"pids", PidsStats(path)},
                {"blkio", BlockStats(path)}};
  AddEmptyParts(stats);
  return stats;
}

}  // namespace redoubt::cgroup
