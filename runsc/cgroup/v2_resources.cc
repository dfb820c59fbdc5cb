// SPDX-License-Identifier: Apache-2.0
//
// One function per cgroup v2 controller, with the specification's v1 numbers converted.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runsc/cgroup/conversion.h"
#include "runsc/cgroup/files.h"
#include "runsc/cgroup/v2.h"

namespace redoubt::cgroup {

namespace {

absl::Status SetThrottle(const std::string& directory, const char* key,
                         const std::vector<oci::ThrottleDevice>& devices) {
  for (const oci::ThrottleDevice& d : devices) {
    // 0 would stop all transfers; in v1 it takes the limit away.
    std::string rate = d.rate == 0 ? "max" : absl::StrCat(d.rate);
    absl::Status status =
        SetFile(directory, "io.max", absl::StrCat(d.major, ":", d.minor, " ", key, "=", rate));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// bfq takes v1's scale; without it io.weight is there with the iocost controller.
absl::Status SetIoWeights(const std::string& directory, const oci::BlockIoResources& io) {
  bool bfq = Exists(Join(directory, "io.bfq.weight"));
  const char* file = bfq ? "io.bfq.weight" : "io.weight";
  auto scaled = [&](uint64_t weight) { return bfq ? weight : IoWeight(weight); };
  if (io.weight.value_or(0) != 0) {
    absl::Status status = SetFile(directory, file, absl::StrCat(scaled(*io.weight)));
    if (!status.ok()) return status;
  }
  for (const oci::WeightDevice& d : io.weight_devices) {
    if (d.weight.value_or(0) == 0) continue;
    std::string line = absl::StrCat(d.major, ":", d.minor, " ", scaled(*d.weight));
    if (absl::Status status = SetFile(directory, file, line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SetCpuMax(const std::string& directory, const oci::CpuResources& cpu) {
  int64_t quota = cpu.quota.value_or(0);
  uint64_t period = cpu.period.value_or(0);
  if (quota == 0 && period == 0) return absl::OkStatus();
  std::string value = quota > 0 ? absl::StrCat(quota) : "max";
  // "quota period"; a period alone must not lose the quota in force.
  if (quota == 0) {
    std::vector<std::string> words = absl::StrSplit(
        ReadFile(Join(directory, "cpu.max")).value_or("max 100000"), absl::ByAnyChar(" \n"));
    if (!words.empty() && !words[0].empty()) value = words[0];
  }
  absl::StrAppend(&value, " ", period == 0 ? 100000 : period);
  return SetFile(directory, "cpu.max", value);
}

}  // namespace

absl::Status ApplyV2Memory(const std::string& directory, const oci::MemoryResources& memory) {
  int64_t limit = memory.limit.value_or(0);
  if (memory.check_before_update.value_or(false) && limit > 0) {
    uint64_t usage = ReadNumber(directory, "memory.current").value_or(0);
    if (usage > static_cast<uint64_t>(limit)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "rejecting memory limit ", limit, ": it is below the current usage of ", usage));
    }
  }
  absl::StatusOr<SwapLimit> swap = SwapAlone(memory.swap.value_or(0), limit);
  if (!swap.ok()) return swap.status();
  // Swap before memory: lowering memory may need the room. A host without swap accounting has no
  // such file, and then none at all or no limit is what it does already.
  bool trivial = swap->bytes <= 0 && !Exists(Join(directory, "memory.swap.max"));
  if (swap->set && !trivial) {
    absl::Status status = SetFile(directory, "memory.swap.max", Limit(swap->bytes));
    if (!status.ok()) return status;
  }
  if (limit != 0) {
    if (auto status = SetFile(directory, "memory.max", Limit(limit)); !status.ok()) return status;
  }
  if (memory.reservation.value_or(0) == 0) return absl::OkStatus();
  return SetFile(directory, "memory.low", Limit(*memory.reservation));
}

absl::Status ApplyV2Cpu(const std::string& directory, const oci::CpuResources& cpu) {
  absl::Status status;
  auto set = [&](const char* file, const std::string& value) {
    if (status.ok()) status = SetFile(directory, file, value);
  };
  // An idle cgroup takes no weight.
  if (cpu.idle) set("cpu.idle", absl::StrCat(*cpu.idle));
  if (cpu.shares.value_or(0) != 0 && cpu.idle.value_or(0) == 0) {
    set("cpu.weight", absl::StrCat(CpuWeight(*cpu.shares)));
  }
  if (status.ok()) status = SetCpuMax(directory, cpu);
  if (cpu.burst) set("cpu.max.burst", absl::StrCat(*cpu.burst));
  if (!cpu.cpus.empty()) set("cpuset.cpus", cpu.cpus);
  if (!cpu.mems.empty()) set("cpuset.mems", cpu.mems);
  return status;
}

absl::Status ApplyV2Io(const std::string& directory, const oci::BlockIoResources& io) {
  absl::Status status = SetIoWeights(directory, io);
  auto throttle = [&](const char* key, const std::vector<oci::ThrottleDevice>& devices) {
    if (status.ok()) status = SetThrottle(directory, key, devices);
  };
  throttle("rbps", io.read_bps);
  throttle("wbps", io.write_bps);
  throttle("riops", io.read_iops);
  throttle("wiops", io.write_iops);
  return status;
}

absl::Status ApplyV2Unified(const std::string& directory,
                            const std::map<std::string, std::string>& files) {
  for (const auto& [name, value] : files) {
    if (name.empty() || name.find('/') != std::string::npos || name[0] == '.') {
      return absl::InvalidArgumentError(
          absl::StrCat("unified resource \"", name, "\" must be a file name (no slashes)"));
    }
    // A file may want one line at a time (io.max).
    for (absl::string_view line : absl::StrSplit(value, '\n', absl::SkipEmpty())) {
      Result<void> result = WriteFile(Join(directory, name), std::string(line));
      if (result.ok()) continue;
      std::string controller = name.substr(0, name.find('.'));
      if (result.Is(ENOENT) || result.Is(EPERM)) {
        return absl::FailedPreconditionError(absl::StrCat("unified resource \"", name,
                                                          "\" can't be set: controller \"",
                                                          controller, "\" not available"));
      }
      return SetFile(directory, name, std::string(line));
    }
  }
  return absl::OkStatus();
}

}  // namespace redoubt::cgroup
