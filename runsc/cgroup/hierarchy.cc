// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/hierarchy.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runsc/cgroup/files.h"

namespace redoubt::cgroup {

namespace {

constexpr std::array kControllers = {"cpuset",  "devices", "memory",     "cpu",     "cpuacct",
                                     "pids",    "blkio",   "hugetlb",    "net_cls", "net_prio",
                                     "freezer", "rdma",    "perf_event", "misc",    "name=systemd"};

bool IsController(const std::string& name) {
  return std::find(kControllers.begin(), kControllers.end(), name) != kControllers.end();
}

// mountinfo writes blanks and backslashes as \ooo.
std::string Unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    bool escaped = text[i] == '\\' && i + 3 < text.size();
    if (escaped) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

void AddMount(const std::string& line, Hierarchies& hierarchies) {
  // 35 24 0:30 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
  std::vector<std::string> halves = absl::StrSplit(line, absl::MaxSplits(" - ", 1));
  if (halves.size() != 2) return;
  std::vector<std::string> before = absl::StrSplit(halves[0], ' ');
  std::vector<std::string> after = absl::StrSplit(halves[1], ' ');
  if (before.size() < 6 || after.size() < 3) return;
  Hierarchy hierarchy{Unescape(before[4]), Unescape(before[3])};
  if (after[0] == "cgroup2" && hierarchies.unified.mount_point.empty()) {
    hierarchies.unified = hierarchy;
  }
  if (after[0] != "cgroup") return;
  for (absl::string_view option : absl::StrSplit(after[2], ',')) {
    std::string name(option);
    if (IsController(name)) hierarchies.v1.try_emplace(name, hierarchy);
  }
}

// Our own cgroup by controller; "" for the unified hierarchy.
absl::StatusOr<std::map<std::string, std::string>> OwnCgroups(const HostView& host) {
  Result<std::string> text = ReadFile(host.own_cgroups);
  if (!text.ok()) return FileError("read", host.own_cgroups, text.error());
  std::map<std::string, std::string> own;
  for (absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    for (absl::string_view controller : absl::StrSplit(parts[1], ',')) {
      own[std::string(controller)] = parts[2];
    }
  }
  return own;
}

// The directory of cgroup `own` of a hierarchy of which only `root` and below is mounted.
std::string DirectoryOf(const Hierarchy& hierarchy, const std::string& own) {
  absl::string_view rest = own;
  if (hierarchy.root != "/") absl::ConsumePrefix(&rest, hierarchy.root);
  std::string inside = CleanPath(absl::StrCat("/", rest));
  return inside == "/" ? hierarchy.mount_point : Join(hierarchy.mount_point, inside);
}

std::string Parent(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

absl::Status CheckDriver(const Request& request, const HostView& host) {
  std::vector<std::string> parts = absl::StrSplit(request.cgroups_path, ':');
  if (request.systemd) {
    if (!request.cgroups_path.empty() && parts.size() != 3) {
      return absl::InvalidArgumentError(absl::StrCat(
          "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"",
          request.cgroups_path, "\" instead"));
    }
    if (!Exists(host.systemd)) {
      return absl::FailedPreconditionError(
          "systemd cgroup flag passed, but systemd support for managing cgroups is not available: "
          "systemd does not run here");
    }
    return absl::UnimplementedError(
        "--systemd-cgroup: only the cgroupfs driver is there; configure the engine for it");
  }
  if (parts.size() == 3 && (parts[0].empty() || absl::EndsWith(parts[0], ".slice"))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cgroupsPath \"", request.cgroups_path,
        "\" is of format \"slice:prefix:name\", which needs --systemd-cgroup; want a path"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string CleanPath(const std::string& path) {
  std::vector<std::string> parts;
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (part != ".") {
      parts.emplace_back(part);
    }
  }
  return absl::StrCat(absl::StartsWith(path, "/") ? "/" : "", absl::StrJoin(parts, "/"));
}

bool Hierarchies::is_v2() const {
  return std::all_of(v1.begin(), v1.end(),
                     [](const auto& entry) { return absl::StartsWith(entry.first, "name="); });
}

absl::StatusOr<Hierarchies> Hierarchies::Read(const HostView& host) {
  Result<std::string> text = ReadFile(host.mountinfo);
  if (!text.ok()) return FileError("read", host.mountinfo, text.error());
  Hierarchies hierarchies;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    AddMount(std::string(line), hierarchies);
  }
  if (hierarchies.is_v2() && hierarchies.unified.mount_point.empty()) {
    return absl::NotFoundError("no cgroup file system is mounted on this host");
  }
  return hierarchies;
}

absl::StatusOr<Paths> ResolvePaths(const Request& request, const Hierarchies& hierarchies,
                                   const HostView& host) {
  if (absl::Status status = CheckDriver(request, host); !status.ok()) return status;
  std::string inner = request.cgroups_path.empty() ? request.container_id : request.cgroups_path;
  inner = CleanPath(inner);
  if (inner.empty() || inner == "/") {
    return absl::InvalidArgumentError(
        absl::StrCat("cgroupsPath \"", request.cgroups_path, "\" names the root cgroup"));
  }
  bool absolute = inner[0] == '/';
  auto own = OwnCgroups(host);
  if (!own.ok() && !absolute) return own.status();
  Paths paths;
  if (hierarchies.is_v2()) {
    // Beside our own cgroup, not below: one with processes in it may not share out controllers.
    std::string start = absolute ? hierarchies.unified.mount_point
                                 : DirectoryOf(hierarchies.unified, Parent((*own)[""]));
    paths[""] = Join(start, inner);
    return paths;
  }
  for (const auto& [controller, hierarchy] : hierarchies.v1) {
    if (!absolute && !own->contains(controller)) continue;
    std::string start =
        absolute ? hierarchy.mount_point : DirectoryOf(hierarchy, (*own)[controller]);
    paths[controller] = Join(start, inner);
  }
  return paths;
}

absl::StatusOr<Paths> OwnPaths(const Hierarchies& hierarchies, const HostView& host) {
  auto own = OwnCgroups(host);
  if (!own.ok()) return own.status();
  Paths paths;
  if (hierarchies.is_v2()) {
    paths[""] = DirectoryOf(hierarchies.unified, (*own)[""]);
    return paths;
  }
  for (const auto& [controller, hierarchy] : hierarchies.v1) {
    if (own->contains(controller)) paths[controller] = DirectoryOf(hierarchy, (*own)[controller]);
  }
  return paths;
}

}  // namespace redoubt::cgroup
