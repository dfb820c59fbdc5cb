// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/process_smaps.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace redoubt::proc {

namespace {

// The lines below one mapping's own, by the address where it begins.
using Details = std::map<uint64_t, std::vector<std::string>>;

// Begins a mapping when it is "start-end ...", which no counter's name looks like.
bool ParseStart(const std::string& line, uint64_t& start) {
  uint64_t end;
  return sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2;
}

Result<Details> ReadDetails(const mm::MemoryMap& memory) {
  std::string text =
      TRY(memory.policy().host_proc->Read(memory.space()->host_pid(), "smaps"));
  Details details;
  std::vector<std::string>* current = nullptr;
  for (absl::string_view raw : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::string line(raw.data(), raw.size());
    uint64_t start;
    if (ParseStart(line, start)) {
      current = &details[start];
    } else if (current != nullptr) {
      current->push_back(std::move(line));
    }
  }
  return details;
}

// "Rss:      12 kB" to its name and number.
bool ParseCounter(const std::string& line, std::string& name, uint64_t& kib) {
  char text[40];
  if (sscanf(line.c_str(), "%39[^:]: %" SCNu64 " kB", text, &kib) != 2) return false;
  name = text;
  return true;
}

// What smaps_rollup leaves out: sizes of the mapping itself.
bool IsSummed(const std::string& name) {
  return name != "Size" && name != "KernelPageSize" && name != "MMUPageSize";
}

}  // namespace

Result<std::string> Smaps(const Subject& subject) {
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  if (!memory) return std::string();
  std::vector<mm::Mapping> mappings = TRY(memory->Mappings(subject.View()));
  Details details = TRY(ReadDetails(*memory));
  std::string text;
  for (const mm::Mapping& mapping : mappings) {
    absl::StrAppend(&text, MappingLine(mapping), "\n");
    for (const std::string& line : details[mapping.start]) absl::StrAppend(&text, line, "\n");
  }
  return text;
}

Result<std::string> SmapsRollup(const Subject& subject) {
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  if (!memory) return Errno(ESRCH);
  std::vector<mm::Mapping> mappings = TRY(memory->Mappings(subject.View()));
  Details details = TRY(ReadDetails(*memory));
  std::vector<std::pair<std::string, uint64_t>> sums;  // In the order of smaps.
  for (const mm::Mapping& mapping : mappings) {
    for (const std::string& line : details[mapping.start]) {
      std::string name;
      uint64_t kib;
      if (!ParseCounter(line, name, kib) || !IsSummed(name)) continue;
      auto found = std::find_if(sums.begin(), sums.end(),
                                [&](const auto& sum) { return sum.first == name; });
      if (found == sums.end()) found = sums.insert(sums.end(), {name, 0});
      found->second += kib;
    }
  }
  if (mappings.empty()) return std::string();
  std::string text =
      absl::StrFormat("%08x-%08x ---p 00000000 00:00 0 %26s[rollup]\n", mappings.front().start,
                      mappings.back().end, "");
  for (const auto& [name, kib] : sums) {
    absl::StrAppendFormat(&text, "%-16s%8d kB\n", absl::StrCat(name, ":"), kib);
  }
  return text;
}

}  // namespace redoubt::proc
