// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/cgroup.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/host/syscall.h"
#include "runsc/cgroup/files.h"
#include "runsc/cgroup/hierarchy.h"
#include "runsc/cgroup/v1.h"
#include "runsc/cgroup/v2.h"

namespace redoubt::cgroup {

namespace {

bool IsRefusal(Errno error) {
  return error.value() == EACCES || error.value() == EPERM || error.value() == EROFS;
}

// Pids of `directory` and all below.
void CollectProcesses(const std::string& directory, std::set<pid_t>& pids) {
  for (uint64_t pid : ReadNumbers(directory, "cgroup.procs")) {
    pids.insert(static_cast<pid_t>(pid));
  }
  for (const std::string& below : Subdirectories(directory)) CollectProcesses(below, pids);
}

// Errno of the first directory that could not go.
Result<void> RemoveTree(const std::string& directory) {
  auto remove = [&] { return host::Call([&] { return rmdir(directory.c_str()); }); };
  auto result = remove();
  if (result.ok() || result.Is(ENOENT)) return {};
  for (const std::string& below : Subdirectories(directory)) TRY(RemoveTree(below));
  result = remove();
  if (result.ok() || result.Is(ENOENT)) return {};
  return result.error();
}

Result<void> WritePid(const std::string& directory, pid_t pid) {
  constexpr int kTries = 5;
  std::string file = Join(directory, "cgroup.procs");
  for (int i = 1;; ++i) {
    Result<void> result = WriteFile(file, absl::StrCat(pid));
    // EINVAL: the kernel does not move a process in the middle of its fork or exit.
    if (!result.Is(EINVAL) || i == kTries) return result;
    absl::SleepFor(absl::Milliseconds(30));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Cgroup>> Cgroup::Resolve(const Request& request,
                                                        const HostView& host) {
  absl::StatusOr<Hierarchies> hierarchies = Hierarchies::Read(host);
  if (!hierarchies.ok()) return hierarchies.status();
  absl::StatusOr<Paths> paths = ResolvePaths(request, *hierarchies, host);
  if (!paths.ok()) return paths.status();
  bool named = !request.cgroups_path.empty();
  if (hierarchies->is_v2()) {
    return std::make_unique<V2Cgroup>(*std::move(paths), request.rootless, named,
                                      hierarchies->unified.mount_point);
  }
  return std::make_unique<V1Cgroup>(*std::move(paths), request.rootless, named);
}

absl::StatusOr<std::unique_ptr<Cgroup>> Cgroup::FromPaths(Paths paths, bool rootless) {
  for (const auto& [controller, path] : paths) {
    // These directories will be removed: a spoilt state file must not name another place.
    bool clean = absl::StartsWith(path, "/") && path == CleanPath(path) && path != "/";
    if (!clean) {
      return absl::InvalidArgumentError(
          absl::StrCat("cgroup path of \"", controller, "\" is not clean: \"", path, "\""));
    }
  }
  auto unified = paths.find("");
  if (unified == paths.end()) return std::make_unique<V1Cgroup>(std::move(paths), rootless, true);
  std::string mount_point = unified->second.substr(0, unified->second.find('/', 1));
  return std::make_unique<V2Cgroup>(std::move(paths), rootless, true, std::move(mount_point));
}

absl::StatusOr<std::unique_ptr<Cgroup>> Cgroup::Own(const HostView& host) {
  absl::StatusOr<Hierarchies> hierarchies = Hierarchies::Read(host);
  if (!hierarchies.ok()) return hierarchies.status();
  absl::StatusOr<Paths> paths = OwnPaths(*hierarchies, host);
  if (!paths.ok()) return paths.status();
  return FromPaths(*std::move(paths));
}

std::string Cgroup::PathOf(const std::string& controller) const {
  auto found = paths_.find(is_v2() ? "" : controller);
  return found == paths_.end() ? "" : found->second;
}

std::vector<std::string> Cgroup::Directories() const {
  std::set<std::string> directories;
  for (const auto& [controller, path] : paths_) directories.insert(path);
  return {directories.begin(), directories.end()};
}

absl::Status Cgroup::Enter(pid_t pid) {
  Paths kept;
  for (const auto& [controller, directory] : paths_) {
    Result<void> result = WritePid(directory, pid);
    if (!result.ok()) {
      if (rootless() && !explicit_path() && IsRefusal(result.error())) continue;
      return FileError(absl::StrCat("move process ", pid, " to cgroup").c_str(), directory,
                       result.error());
    }
    kept[controller] = directory;
  }
  paths_ = std::move(kept);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<pid_t>> Cgroup::Processes() {
  std::set<pid_t> pids;
  // All hierarchies hold the same processes, but one that engines or processes moved about may
  // lack some.
  for (const std::string& directory : Directories()) CollectProcesses(directory, pids);
  pids.erase(0);  // A process of another PID namespace.
  return std::vector<pid_t>(pids.begin(), pids.end());
}

absl::Status Cgroup::Signal(int signal) {
  if (paths_.empty()) return absl::OkStatus();
  if (signal == SIGKILL && is_v2() && WriteFile(Join(PathOf(""), "cgroup.kill"), "1").ok()) {
    return absl::OkStatus();
  }
  bool was_frozen = IsFrozen().value_or(false);
  // Who stands still cannot fork away from the list.
  bool frozen = was_frozen || (signal == SIGKILL && Freeze().ok());
  absl::StatusOr<std::vector<pid_t>> pids = Processes();
  absl::Status status = pids.status();
  for (pid_t pid : pids.value_or(std::vector<pid_t>{})) {
    auto result = host::Call([&] { return kill(pid, signal); });
    if (!result.ok() && !result.Is(ESRCH)) {
      status.Update(FileError("signal process", absl::StrCat(pid), result.error()));
    }
  }
  if (frozen && signal == SIGKILL) status.Update(Thaw());
  return status;
}

absl::Status Cgroup::Delete(absl::Duration deadline) {
  const absl::Time end = absl::Now() + deadline;
  absl::Duration pause = absl::Milliseconds(1);
  while (true) {
    absl::Status status;
    for (const std::string& directory : Directories()) {
      Result<void> removed = RemoveTree(directory);
      if (!removed.ok()) {
        status.Update(FileError("remove cgroup", directory, removed.error()));
      }
    }
    if (status.ok() || absl::Now() >= end) return status;
    absl::SleepFor(pause);
    pause = std::min(pause * 2, absl::Milliseconds(100));
  }
}

bool Cgroup::Exists() const {
  std::vector<std::string> directories = Directories();
  return std::any_of(directories.begin(), directories.end(),
                     [](const std::string& path) { return cgroup::Exists(path); });
}

oci::LinuxResources WithRoomForSandbox(oci::LinuxResources resources) {
  constexpr int64_t kOwnThreads = 128;
  if (resources.pids_limit.value_or(0) > 0) {
    *resources.pids_limit = std::min(*resources.pids_limit, INT64_MAX / 4) * 2 + kOwnThreads;
  }
  return resources;
}

}  // namespace redoubt::cgroup
