// SPDX-License-Identifier: Apache-2.0
//
// One function per cgroup v1 controller with more than a file or two. The order of writes matters
// where the kernel checks one value against another.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "runsc/cgroup/device_rules.h"
#include "runsc/cgroup/files.h"
#include "runsc/cgroup/v1.h"

namespace redoubt::cgroup {

namespace {

constexpr char kMemory[] = "memory.limit_in_bytes";
constexpr char kMemoryAndSwap[] = "memory.memsw.limit_in_bytes";

absl::Status SetMemory(const std::string& directory, int64_t limit) {
  std::string value = absl::StrCat(limit);
  Result<void> result = WriteFile(Join(directory, kMemory), value);
  if (result.ok()) return absl::OkStatus();
  // EBUSY: the container uses more than that already, and it cannot be reclaimed.
  if (!result.Is(EBUSY)) return SetFile(directory, kMemory, value);
  return absl::FailedPreconditionError(absl::StrCat(
      "unable to set memory limit to ", limit,
      " (current usage: ", ReadNumber(directory, "memory.usage_in_bytes").value_or(0),
      ", peak usage: ", ReadNumber(directory, "memory.max_usage_in_bytes").value_or(0), ")"));
}

absl::Status SetMemoryAndSwap(const std::string& directory, int64_t limit) {
  return limit == 0 ? absl::OkStatus() : SetFile(directory, kMemoryAndSwap, absl::StrCat(limit));
}

// memsw may never be below memory: which to raise, or lower, first depends on what is in force.
absl::Status SetBoth(const std::string& directory, int64_t memory, int64_t swap) {
  // No limit of memory means none of both, where the host counts swap at all.
  if (memory == -1 && swap == 0 && Exists(Join(directory, kMemoryAndSwap))) swap = -1;
  if (memory == 0) return SetMemoryAndSwap(directory, swap);
  if (swap == 0) return SetMemory(directory, memory);
  uint64_t current = ReadNumber(directory, kMemory).value_or(UINT64_MAX);
  bool swap_first = swap == -1 || current < static_cast<uint64_t>(swap);
  absl::Status status =
      swap_first ? SetMemoryAndSwap(directory, swap) : SetMemory(directory, memory);
  if (!status.ok()) return status;
  return swap_first ? SetMemory(directory, memory) : SetMemoryAndSwap(directory, swap);
}

absl::Status CheckUsage(const std::string& directory, const oci::MemoryResources& memory) {
  if (!memory.check_before_update.value_or(false) || memory.limit.value_or(0) <= 0) {
    return absl::OkStatus();
  }
  uint64_t usage = ReadNumber(directory, "memory.usage_in_bytes").value_or(0);
  if (usage <= static_cast<uint64_t>(*memory.limit)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("rejecting memory limit ", *memory.limit,
                                                    ": it is below the current usage of ", usage));
}

absl::Status SetThrottle(const std::string& directory, const char* file,
                         const std::vector<oci::ThrottleDevice>& devices) {
  for (const oci::ThrottleDevice& d : devices) {
    absl::Status status =
        SetFile(directory, file, absl::StrCat(d.major, ":", d.minor, " ", d.rate));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// With the CFQ scheduler gone, weights are bfq's, under another name.
std::string WeightFile(const std::string& directory, const std::string& name) {
  std::string bfq = "blkio.bfq." + name;
  return Exists(Join(directory, bfq)) ? bfq : "blkio." + name;
}

absl::Status SetWeights(const std::string& directory, const oci::BlockIoResources& io) {
  absl::Status status;
  auto set = [&](const std::string& file, const std::string& value) {
    if (status.ok()) status = SetFile(directory, file, value);
  };
  if (io.weight.value_or(0) != 0) set(WeightFile(directory, "weight"), absl::StrCat(*io.weight));
  if (io.leaf_weight.value_or(0) != 0) {
    set(WeightFile(directory, "leaf_weight"), absl::StrCat(*io.leaf_weight));
  }
  for (const oci::WeightDevice& d : io.weight_devices) {
    std::string device = absl::StrCat(d.major, ":", d.minor, " ");
    if (d.weight.value_or(0) != 0) {
      set(WeightFile(directory, "weight_device"), absl::StrCat(device, *d.weight));
    }
    if (d.leaf_weight.value_or(0) != 0) {
      set(WeightFile(directory, "leaf_weight_device"), absl::StrCat(device, *d.leaf_weight));
    }
  }
  return status;
}

}  // namespace

absl::Status ApplyV1Memory(const std::string& directory, const oci::MemoryResources& memory) {
  if (absl::Status status = CheckUsage(directory, memory); !status.ok()) return status;
  absl::Status status = SetBoth(directory, memory.limit.value_or(0), memory.swap.value_or(0));
  if (!status.ok()) return status;
  auto set = [&](const char* file, int64_t value) {
    if (status.ok() && value != 0) status = SetFile(directory, file, absl::StrCat(value));
  };
  set("memory.soft_limit_in_bytes", memory.reservation.value_or(0));
  set("memory.kmem.tcp.limit_in_bytes", memory.kernel_tcp.value_or(0));
  set("memory.oom_control", memory.disable_oom_killer.value_or(false) ? 1 : 0);
  if (!status.ok() || !memory.swappiness) return status;
  if (*memory.swappiness > 100) {
    return absl::InvalidArgumentError(absl::StrCat(
        "invalid memory swappiness value: ", *memory.swappiness, " (valid range is 0-100)"));
  }
  return SetFile(directory, "memory.swappiness", absl::StrCat(*memory.swappiness));
}

absl::Status ApplyV1Cpu(const std::string& directory, const oci::CpuResources& cpu) {
  absl::Status status;
  auto set = [&](const char* file, const std::string& value) {
    if (status.ok()) status = SetFile(directory, file, value);
  };
  if (cpu.shares.value_or(0) != 0) {
    set("cpu.shares", absl::StrCat(*cpu.shares));
    // The kernel clamps without a word.
    uint64_t got = ReadNumber(directory, "cpu.shares").value_or(*cpu.shares);
    if (status.ok() && *cpu.shares > got) {
      return absl::InvalidArgumentError(absl::StrCat("the maximum allowed cpu-shares is ", got));
    }
    if (status.ok() && *cpu.shares < got) {
      return absl::InvalidArgumentError(absl::StrCat("the minimum allowed cpu-shares is ", got));
    }
  }
  // A quota must not exceed the parent's share of time under the period in force: when the new
  // period is refused with the old quota, the quota goes first.
  bool period_later = false;
  std::string period = absl::StrCat(cpu.period.value_or(0));
  if (status.ok() && cpu.period.value_or(0) != 0) {
    Result<void> result = WriteFile(Join(directory, "cpu.cfs_period_us"), period);
    period_later = result.Is(EINVAL) && cpu.quota.value_or(0) != 0;
    if (!result.ok() && !period_later) set("cpu.cfs_period_us", period);
  }
  if (cpu.quota.value_or(0) != 0) set("cpu.cfs_quota_us", absl::StrCat(*cpu.quota));
  if (period_later) set("cpu.cfs_period_us", period);
  if (cpu.burst) set("cpu.cfs_burst_us", absl::StrCat(*cpu.burst));
  if (cpu.realtime_period.value_or(0) != 0) {
    set("cpu.rt_period_us", absl::StrCat(*cpu.realtime_period));
  }
  if (cpu.realtime_runtime.value_or(0) != 0) {
    set("cpu.rt_runtime_us", absl::StrCat(*cpu.realtime_runtime));
  }
  if (cpu.idle) set("cpu.idle", absl::StrCat(*cpu.idle));
  return status;
}

absl::Status ApplyV1Cpuset(const std::string& directory, const oci::CpuResources& cpu) {
  if (!cpu.cpus.empty()) {
    if (auto status = SetFile(directory, "cpuset.cpus", cpu.cpus); !status.ok()) return status;
  }
  return cpu.mems.empty() ? absl::OkStatus() : SetFile(directory, "cpuset.mems", cpu.mems);
}

absl::Status ApplyV1BlockIo(const std::string& directory, const oci::BlockIoResources& io) {
  absl::Status status = SetWeights(directory, io);
  auto throttle = [&](const char* file, const std::vector<oci::ThrottleDevice>& devices) {
    if (status.ok()) status = SetThrottle(directory, file, devices);
  };
  throttle("blkio.throttle.read_bps_device", io.read_bps);
  throttle("blkio.throttle.write_bps_device", io.write_bps);
  throttle("blkio.throttle.read_iops_device", io.read_iops);
  throttle("blkio.throttle.write_iops_device", io.write_iops);
  return status;
}

absl::Status ApplyV1Devices(const std::string& directory,
                            const std::vector<oci::DeviceRule>& devices) {
  for (const oci::DeviceRule& rule : WithStandardDevices(devices)) {
    const char* file = rule.allow ? "devices.allow" : "devices.deny";
    absl::Status status = SetFile(directory, file, DeviceRuleText(rule));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status InheritCpuset(const std::string& directory) {
  std::string parent = directory.substr(0, directory.rfind('/'));
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    Result<std::string> own = ReadFile(Join(directory, file));
    if (!own.ok()) return FileError("read", Join(directory, file), own.error());
    absl::StripAsciiWhitespace(&*own);
    if (!own->empty()) continue;
    Result<std::string> above = ReadFile(Join(parent, file));
    if (!above.ok()) return FileError("read", Join(parent, file), above.error());
    absl::StripAsciiWhitespace(&*above);
    if (above->empty()) {
      if (absl::Status status = InheritCpuset(parent); !status.ok()) return status;
      above = ReadFile(Join(parent, file));
      if (!above.ok()) return FileError("read", Join(parent, file), above.error());
      absl::StripAsciiWhitespace(&*above);
    }
    if (absl::Status status = SetFile(directory, file, *above); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace redoubt::cgroup
