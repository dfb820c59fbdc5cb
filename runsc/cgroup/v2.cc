// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/v2.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "runsc/cgroup/device_program.h"
#include "runsc/cgroup/device_rules.h"
#include "runsc/cgroup/files.h"

namespace redoubt::cgroup {

namespace {

bool IsRefusal(Errno error) {
  return error.value() == EACCES || error.value() == EPERM || error.value() == EROFS;
}

// Lets the cgroups below `directory` use all controllers that it has. A controller that cannot be
// passed on (processes in the way, a real-time task) is missed only when a limit wants it.
void PassControllersDown(const std::string& directory) {
  Result<std::string> text = ReadFile(Join(directory, "cgroup.controllers"));
  if (!text.ok()) return;
  absl::StripAsciiWhitespace(&*text);
  std::vector<std::string> commands;
  for (absl::string_view name : absl::StrSplit(*text, ' ', absl::SkipEmpty())) {
    commands.push_back(absl::StrCat("+", name));
  }
  if (commands.empty()) return;
  std::string file = Join(directory, "cgroup.subtree_control");
  if (WriteFile(file, absl::StrJoin(commands, " ")).ok()) return;
  for (const std::string& command : commands) (void)WriteFile(file, command);
}

absl::Status ApplyPids(const std::string& directory, int64_t limit) {
  return SetFile(directory, "pids.max", limit > 0 ? absl::StrCat(limit) : "max");
}

absl::Status ApplyHugepages(const std::string& directory,
                            const std::vector<oci::HugepageLimit>& limits) {
  for (const oci::HugepageLimit& limit : limits) {
    std::string prefix = absl::StrCat("hugetlb.", limit.page_size, ".");
    std::string value = absl::StrCat(limit.limit);
    absl::Status status = SetFile(directory, prefix + "max", value);
    if (!status.ok()) return status;
    if (!Exists(Join(directory, prefix + "rsvd.max"))) continue;
    if (status = SetFile(directory, prefix + "rsvd.max", value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ApplyRdma(const std::string& directory,
                       const std::map<std::string, oci::RdmaLimit>& limits) {
  for (const auto& [device, limit] : limits) {
    std::string line = device;
    if (limit.hca_handles) absl::StrAppend(&line, " hca_handle=", *limit.hca_handles);
    if (limit.hca_objects) absl::StrAppend(&line, " hca_object=", *limit.hca_objects);
    if (auto status = SetFile(directory, "rdma.max", line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Whether `resources` has anything that only a cgroup can do.
bool NeedsCgroup(const oci::LinuxResources& r) {
  return r.memory.limit.value_or(0) > 0 || r.memory.swap.value_or(0) > 0 ||
         r.memory.reservation.value_or(0) > 0 || r.cpu.quota.value_or(0) > 0 ||
         r.cpu.shares.value_or(0) > 0 || !r.cpu.cpus.empty() || !r.cpu.mems.empty() ||
         r.pids_limit.value_or(0) > 0 || r.block_io.weight.value_or(0) > 0 || !r.unified.empty();
}

}  // namespace

absl::Status V2Cgroup::Create() {
  std::string path = directory();
  if (path.empty()) return absl::OkStatus();
  std::vector<std::string> made;
  auto undo = [&](absl::Status status) {
    for (auto each = made.rbegin(); each != made.rend(); ++each) rmdir(each->c_str());
    return status;
  };
  // From the mount point down: a cgroup has only what its parent passes on.
  PassControllersDown(mount_point_);
  for (size_t end = path.find('/', mount_point_.size() + 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    std::string above = path.substr(0, end);
    if (!MakeDirectories(above, made).ok()) break;  // The last one tells why.
    PassControllersDown(above);
  }
  Result<void> result = MakeDirectories(path, made);
  if (!result.ok()) {
    if (rootless() && !explicit_path() && IsRefusal(result.error())) {
      paths_.clear();
      return undo(absl::OkStatus());
    }
    return undo(FileError("create cgroup", path, result.error()));
  }
  if (IsFrozen().value_or(false)) {
    return undo(absl::FailedPreconditionError(
        absl::StrCat("container's cgroup unexpectedly frozen: ", path)));
  }
  Result<std::string> type = ReadFile(Join(path, "cgroup.type"));
  if (type.ok() && absl::StartsWith(*type, "domain invalid")) {
    return undo(
        absl::FailedPreconditionError(absl::StrCat("cannot enter cgroupv2 \"", path,
                                                   "\" with domain controllers -- it is in an "
                                                   "invalid state")));
  }
  return absl::OkStatus();
}

absl::Status V2Cgroup::Apply(const oci::LinuxResources& r) {
  if (directory().empty()) {
    return NeedsCgroup(r) ? absl::PermissionDeniedError(
                                "cannot set limits: rootless, and no cgroup could be made")
                          : absl::OkStatus();
  }
  absl::Status status = ApplyV2Memory(directory(), r.memory);
  if (status.ok()) status = ApplyV2Cpu(directory(), r.cpu);
  if (status.ok() && r.pids_limit.value_or(0) != 0) status = ApplyPids(directory(), *r.pids_limit);
  if (status.ok()) status = ApplyV2Io(directory(), r.block_io);
  if (status.ok()) status = ApplyHugepages(directory(), r.hugepage_limits);
  if (status.ok()) status = ApplyRdma(directory(), r.rdma);
  if (status.ok() && !r.devices.empty()) {
    status = AttachDeviceProgram(directory(), CompileDeviceProgram(WithStandardDevices(r.devices)));
    if (rootless()) status = absl::OkStatus();  // Not expected to work, and no loss.
  }
  if (status.ok()) status = ApplyV2Unified(directory(), r.unified);
  return status;
}

absl::Status V2Cgroup::SetFrozen(bool frozen) {
  if (directory().empty()) {
    return frozen ? absl::FailedPreconditionError("cannot freeze: the container has no cgroup")
                  : absl::OkStatus();
  }
  absl::Status status = SetFile(directory(), "cgroup.freeze", frozen ? "1" : "0");
  if (!status.ok() || !frozen) return status;
  const absl::Time deadline = absl::Now() + absl::Seconds(5);
  absl::Duration pause = absl::Microseconds(100);
  while (ReadKeyed(directory(), "cgroup.events")["frozen"] == 0) {
    if (absl::Now() > deadline) {
      (void)SetFile(directory(), "cgroup.freeze", "0");
      return absl::DeadlineExceededError(absl::StrCat("unable to freeze ", directory()));
    }
    absl::SleepFor(pause);
    pause = std::min(pause * 2, absl::Milliseconds(10));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> V2Cgroup::IsFrozen() {
  if (directory().empty()) return false;
  return ReadNumber(directory(), "cgroup.freeze").value_or(0) == 1;
}

absl::StatusOr<uint64_t> V2Cgroup::OomKills() {
  if (directory().empty() || !cgroup::Exists(Join(directory(), "memory.events"))) {
    return absl::FailedPreconditionError("the container has no memory cgroup");
  }
  return ReadKeyed(directory(), "memory.events")["oom_kill"];
}

std::optional<uint64_t> V2Cgroup::MemoryLimit() {
  std::optional<uint64_t> least;
  for (std::string path = directory(); path.size() > mount_point_.size();
       path = path.substr(0, path.rfind('/'))) {
    Result<uint64_t> limit = ReadNumber(path, "memory.max");
    if (!limit.ok()) break;
    if (*limit != UINT64_MAX && (!least || *limit < *least)) least = *limit;
  }
  return least;
}

}  // namespace redoubt::cgroup
