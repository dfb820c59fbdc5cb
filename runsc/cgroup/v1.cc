// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/v1.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runsc/cgroup/files.h"

namespace redoubt::cgroup {

namespace {

bool IsRefusal(Errno error) {
  return error.value() == EACCES || error.value() == EPERM || error.value() == EROFS;
}

// What a controller that the host lacks says when it is asked for a limit.
absl::Status NoController(const char* controller) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot set ", controller, " limit: container could not join or create cgroup"));
}

bool WantsCpu(const oci::CpuResources& cpu) {
  return cpu.shares.value_or(0) != 0 || cpu.quota.value_or(0) != 0 || cpu.period.value_or(0) != 0 ||
         cpu.burst || cpu.realtime_period.value_or(0) != 0 ||
         cpu.realtime_runtime.value_or(0) != 0 || cpu.idle;
}

bool WantsMemory(const oci::MemoryResources& memory) {
  return memory.limit.value_or(0) != 0 || memory.swap.value_or(0) != 0 ||
         memory.reservation.value_or(0) != 0 || memory.kernel_tcp.value_or(0) != 0 ||
         memory.disable_oom_killer.value_or(false) || memory.swappiness;
}

bool WantsBlockIo(const oci::BlockIoResources& io) {
  return io.weight.value_or(0) != 0 || io.leaf_weight.value_or(0) != 0 ||
         !io.weight_devices.empty() || !io.read_bps.empty() || !io.write_bps.empty() ||
         !io.read_iops.empty() || !io.write_iops.empty();
}

absl::Status ApplyPids(const std::string& directory, int64_t limit) {
  return SetFile(directory, "pids.max", limit > 0 ? absl::StrCat(limit) : "max");
}

absl::Status ApplyHugepages(const std::string& directory,
                            const std::vector<oci::HugepageLimit>& limits) {
  for (const oci::HugepageLimit& limit : limits) {
    std::string prefix = absl::StrCat("hugetlb.", limit.page_size, ".");
    std::string value = absl::StrCat(limit.limit);
    absl::Status status = SetFile(directory, prefix + "limit_in_bytes", value);
    if (!status.ok()) return status;
    std::string reserved = prefix + "rsvd.limit_in_bytes";  // Since Linux 5.7.
    if (!Exists(Join(directory, reserved))) continue;
    if (status = SetFile(directory, reserved, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ApplyPriorities(const std::string& directory,
                             const std::vector<oci::InterfacePriority>& priorities) {
  for (const oci::InterfacePriority& entry : priorities) {
    absl::Status status =
        SetFile(directory, "net_prio.ifpriomap", absl::StrCat(entry.name, " ", entry.priority));
    if (!status.ok()) return status;
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

absl::Status SetFreezer(const std::string& directory, const char* state) {
  return SetFile(directory, "freezer.state", state);
}

}  // namespace

absl::Status V1Cgroup::Create() {
  std::vector<std::string> made;
  auto undo = [&](absl::Status status) {
    for (auto path = made.rbegin(); path != made.rend(); ++path) rmdir(path->c_str());
    return status;
  };
  Paths kept;
  for (const auto& [controller, directory] : paths_) {
    Result<void> result = MakeDirectories(directory, made);
    if (!result.ok()) {
      if (rootless() && !explicit_path() && IsRefusal(result.error())) continue;
      return undo(FileError("create cgroup", directory, result.error()));
    }
    if (controller == "cpuset") {
      if (absl::Status status = InheritCpuset(directory); !status.ok()) return undo(status);
    }
    kept[controller] = directory;
  }
  paths_ = std::move(kept);
  if (IsFrozen().value_or(false)) {
    return undo(absl::FailedPreconditionError(
        absl::StrCat("container's cgroup unexpectedly frozen: ", PathOf("freezer"))));
  }
  return absl::OkStatus();
}

absl::Status V1Cgroup::Apply(const oci::LinuxResources& r) {
  if (!r.unified.empty()) {
    return absl::InvalidArgumentError("invalid configuration: cannot use unified on cgroup v1");
  }
  absl::Status status;
  auto part = [&](const char* controller, bool wanted, auto apply) {
    if (!wanted || !status.ok()) return;
    std::string directory = PathOf(controller);
    status = directory.empty() ? NoController(controller) : apply(directory);
  };
  bool cpuset = !r.cpu.cpus.empty() || !r.cpu.mems.empty();
  part("cpuset", cpuset, [&](const auto& d) { return ApplyV1Cpuset(d, r.cpu); });
  part("memory", WantsMemory(r.memory), [&](const auto& d) { return ApplyV1Memory(d, r.memory); });
  part("cpu", WantsCpu(r.cpu), [&](const auto& d) { return ApplyV1Cpu(d, r.cpu); });
  part("pids", r.pids_limit.value_or(0) != 0,
       [&](const auto& d) { return ApplyPids(d, *r.pids_limit); });
  part("blkio", WantsBlockIo(r.block_io),
       [&](const auto& d) { return ApplyV1BlockIo(d, r.block_io); });
  part("hugetlb", !r.hugepage_limits.empty(),
       [&](const auto& d) { return ApplyHugepages(d, r.hugepage_limits); });
  part("net_cls", r.network.class_id.value_or(0) != 0, [&](const auto& d) {
    return SetFile(d, "net_cls.classid", absl::StrCat(*r.network.class_id));
  });
  part("net_prio", !r.network.priorities.empty(),
       [&](const auto& d) { return ApplyPriorities(d, r.network.priorities); });
  part("rdma", !r.rdma.empty(), [&](const auto& d) { return ApplyRdma(d, r.rdma); });
  if (!status.ok()) return status;
  part("devices", !r.devices.empty(), [&](const auto& d) { return ApplyV1Devices(d, r.devices); });
  // A user's container never opens devices of the host: no loss.
  return rootless() ? absl::OkStatus() : status;
}

absl::Status V1Cgroup::Freeze() {
  std::string directory = PathOf("freezer");
  if (directory.empty()) {
    return absl::FailedPreconditionError("cannot freeze: the container has no freezer cgroup");
  }
  // The kernel freezes what it saw at the write; who forked meanwhile needs another one. Now and
  // then all must move on a little, when one waits for a frozen other.
  const absl::Time deadline = absl::Now() + absl::Seconds(5);
  for (int round = 0; absl::Now() < deadline; ++round) {
    if (absl::Status status = SetFreezer(directory, "FROZEN"); !status.ok()) return status;
    for (int i = 0; i < 10; ++i) {
      Result<std::string> state = ReadFile(Join(directory, "freezer.state"));
      if (!state.ok()) return FileError("read", directory, state.error());
      absl::StripAsciiWhitespace(&*state);
      if (*state == "FROZEN") return absl::OkStatus();
      absl::SleepFor(absl::Microseconds(100 << std::min(i, 6)));
    }
    if (round % 20 == 19) {
      (void)SetFreezer(directory, "THAWED");
      absl::SleepFor(absl::Milliseconds(10));
    }
  }
  (void)SetFreezer(directory, "THAWED");
  return absl::DeadlineExceededError(absl::StrCat("unable to freeze ", directory));
}

absl::Status V1Cgroup::Thaw() {
  std::string directory = PathOf("freezer");
  if (directory.empty()) return absl::OkStatus();
  return SetFreezer(directory, "THAWED");
}

absl::StatusOr<bool> V1Cgroup::IsFrozen() {
  std::string directory = PathOf("freezer");
  if (directory.empty()) return false;
  Result<std::string> state = ReadFile(Join(directory, "freezer.state"));
  if (!state.ok()) {
    if (state.Is(ENOENT) || state.Is(ENODEV)) return false;
    return FileError("read", Join(directory, "freezer.state"), state.error());
  }
  absl::StripAsciiWhitespace(&*state);
  return *state != "THAWED";
}

absl::StatusOr<uint64_t> V1Cgroup::OomKills() {
  std::string directory = PathOf("memory");
  if (directory.empty()) return absl::FailedPreconditionError("the container has no memory cgroup");
  return ReadKeyed(directory, "memory.oom_control")["oom_kill"];
}

std::optional<uint64_t> V1Cgroup::MemoryLimit() {
  constexpr uint64_t kNoLimit = uint64_t{1} << 62;  // The kernel rounds LONG_MAX to pages.
  std::string directory = PathOf("memory");
  if (directory.empty()) return std::nullopt;
  auto values = ReadKeyed(directory, "memory.stat");
  auto found = values.find("hierarchical_memory_limit");
  if (found == values.end() || found->second >= kNoLimit) return std::nullopt;
  return found->second;
}

}  // namespace redoubt::cgroup
