// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/stats.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace redoubt::cgroup {

void SetUnlessZero(nlohmann::json& json, const char* key, uint64_t value) {
  if (value != 0) json[key] = value;
}

nlohmann::json MemoryEntry(uint64_t usage, uint64_t max, uint64_t limit, uint64_t failures) {
  nlohmann::json entry = {{"limit", limit}, {"failcnt", failures}};
  SetUnlessZero(entry, "usage", usage);
  SetUnlessZero(entry, "max", max);
  return entry;
}

nlohmann::json BlockEntry(uint64_t major, uint64_t minor, const std::string& operation,
                          uint64_t value) {
  nlohmann::json entry = nlohmann::json::object();
  SetUnlessZero(entry, "major", major);
  SetUnlessZero(entry, "minor", minor);
  if (!operation.empty()) entry["op"] = operation;
  SetUnlessZero(entry, "value", value);
  return entry;
}

nlohmann::json NumberSet(const std::string& text) {
  constexpr unsigned kMostProcessors = 8192;
  nlohmann::json numbers = nlohmann::json::array();
  for (absl::string_view range :
       absl::StrSplit(absl::StripAsciiWhitespace(text), ',', absl::SkipEmpty())) {
    std::vector<std::string> ends = absl::StrSplit(range, '-');
    unsigned first, last;
    if (!absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last)) continue;
    for (unsigned i = first; i <= std::min(last, kMostProcessors); ++i) numbers.push_back(i);
  }
  return numbers;
}

void AddEmptyParts(nlohmann::json& stats) {
  stats["intel_rdt"] = nlohmann::json::object();
  stats["network_interfaces"] = nullptr;
  if (!stats.contains("hugetlb")) stats["hugetlb"] = nlohmann::json::object();
}

}  // namespace redoubt::cgroup
