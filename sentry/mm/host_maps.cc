// SPDX-License-Identifier: Apache-2.0
#include "sentry/mm/host_maps.h"

#include <sys/sysmacros.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_split.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::mm {

namespace {

struct HostLine {
  Mapping mapping;
  std::pair<uint64_t, uint64_t> file;  // Host device and inode; inode 0: anonymous.
  std::string name;
};

std::optional<HostLine> ParseLine(const std::string& line) {
  HostLine result;
  Mapping& mapping = result.mapping;
  unsigned major_number = 0, minor_number = 0;
  uint64_t inode = 0;
  int name_at = 0;
  int fields = sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
                      &mapping.start, &mapping.end, mapping.permissions, &mapping.offset,
                      &major_number, &minor_number, &inode, &name_at);
  if (fields < 7) return std::nullopt;
  result.file = {makedev(major_number, minor_number), inode};
  if (name_at > 0) result.name = line.substr(static_cast<size_t>(name_at));
  return result;
}

void NameAnonymous(const HostLine& line, const MapNames& names, const MemoryPolicy& policy,
                   Mapping& mapping) {
  if (mapping.start == policy.vdso_address && policy.vdso_address != 0) {
    mapping.name = "[vdso]";
  } else if (line.name.starts_with("[vvar")) {
    mapping.name = line.name;
  } else if (mapping.start < names.break_end && names.break_start < mapping.end) {
    mapping.name = "[heap]";
  } else if (mapping.start < names.stack_high && names.stack_low < mapping.end) {
    mapping.name = "[stack]";
  }
}

void NameFile(const HostLine& line, const MapNames& names, Mapping& mapping) {
  auto it = names.files.find(line.file);
  if (it == names.files.end()) {
    // Memory that the host backs by a file of its own: MAP_SHARED without a name.
    if (line.name.starts_with("/dev/zero")) mapping.name = "/dev/zero (deleted)";
    return;
  }
  const vfs::Path& path = it->second;
  mapping.name = vfs::PathText(names.view, path);
  Result<vfs::Attributes> attributes = path.dentry->inode()->GetAttributes();
  if (!attributes.ok()) return;
  mapping.device = attributes->device;
  mapping.inode_number = attributes->inode_number;
}

}  // namespace

std::vector<Mapping> ParseHostMaps(std::string_view text, const MemoryPolicy& policy,
                                   const MapNames& names) {
  std::vector<Mapping> result;
  for (absl::string_view raw :
       absl::StrSplit(absl::string_view(text.data(), text.size()), '\n', absl::SkipEmpty())) {
    std::optional<HostLine> line = ParseLine(std::string(raw.data(), raw.size()));
    if (!line.has_value()) continue;
    Mapping& mapping = line->mapping;
    bool vsyscall = line->name == "[vsyscall]";
    bool shim = !policy.Allows(mapping.start, mapping.end);
    if (shim || vsyscall) continue;
    if (line->file.second == 0) {
      NameAnonymous(*line, names, policy, mapping);
    } else {
      NameFile(*line, names, mapping);
    }
    result.push_back(std::move(mapping));
  }
  return result;
}

}  // namespace redoubt::mm
