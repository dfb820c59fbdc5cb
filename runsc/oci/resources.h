// SPDX-License-Identifier: Apache-2.0
//
// LinuxResources: the runtime-spec's linux.resources as plain values, from config.json or from
// what `update --resources` reads. What is absent stays unset: it means "leave it as it is".
//
//   absl::StatusOr<LinuxResources> resources = ParseResourcesText(R"({"pids": {"limit": 10}})");
//   if (!resources.ok()) ... "resources.pids.limit: want a whole number"
//
// Unknown keys are ignored, as the specification asks. Values are checked for their type only; what
// a kernel accepts is the cgroup library's business (runsc/cgroup).
#ifndef RUNSC_OCI_RESOURCES_H_
#define RUNSC_OCI_RESOURCES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"

namespace redoubt::oci {

struct DeviceRule {
  bool allow = false;
  char type = 'a';                    // 'a' all, 'b' block, 'c' character.
  std::optional<int64_t> major = {};  // Unset: any.
  std::optional<int64_t> minor = {};
  std::string access = "rwm";
};

struct MemoryResources {
  std::optional<int64_t> limit, reservation, swap;  // Bytes; -1 for none. Swap counts memory too.
  std::optional<int64_t> kernel, kernel_tcp;
  std::optional<uint64_t> swappiness;
  std::optional<bool> disable_oom_killer, use_hierarchy, check_before_update;
};

struct CpuResources {
  std::optional<uint64_t> shares;
  std::optional<int64_t> quota;  // Microseconds in a period; -1 for none.
  std::optional<uint64_t> burst, period;
  std::optional<int64_t> realtime_runtime;
  std::optional<uint64_t> realtime_period;
  std::optional<int64_t> idle;
  std::string cpus, mems;  // "0-3,5".
};

struct WeightDevice {
  int64_t major = 0, minor = 0;
  std::optional<uint64_t> weight, leaf_weight;
};

struct ThrottleDevice {
  int64_t major = 0, minor = 0;
  uint64_t rate = 0;  // Bytes or operations a second.
};

struct BlockIoResources {
  std::optional<uint64_t> weight, leaf_weight;
  std::vector<WeightDevice> weight_devices;
  std::vector<ThrottleDevice> read_bps, write_bps, read_iops, write_iops;
};

struct HugepageLimit {
  std::string page_size;  // "2MB"
  uint64_t limit = 0;
};

struct InterfacePriority {
  std::string name;
  uint64_t priority = 0;
};

struct NetworkResources {
  std::optional<uint64_t> class_id;
  std::vector<InterfacePriority> priorities;
};

struct RdmaLimit {
  std::optional<uint64_t> hca_handles, hca_objects;
};

struct LinuxResources {
  std::vector<DeviceRule> devices;
  MemoryResources memory;
  CpuResources cpu;
  std::optional<int64_t> pids_limit;  // -1 for none.
  BlockIoResources block_io;
  std::vector<HugepageLimit> hugepage_limits;
  NetworkResources network;
  std::map<std::string, RdmaLimit> rdma;
  std::map<std::string, std::string> unified;  // cgroup v2 files by name.
};

// The error names the key: "resources.cpu.quota: want a whole number".
absl::StatusOr<LinuxResources> ParseResources(const nlohmann::json& json);
absl::StatusOr<LinuxResources> ParseResourcesText(std::string_view text);

}  // namespace redoubt::oci

#endif  // RUNSC_OCI_RESOURCES_H_
