// SPDX-License-Identifier: Apache-2.0
//
// The cgroup v1 side: a directory in each controller's hierarchy.
#ifndef RUNSC_CGROUP_V1_H_
#define RUNSC_CGROUP_V1_H_

#include "runsc/cgroup/cgroup.h"

namespace redoubt::cgroup {

class V1Cgroup final : public Cgroup {
 public:
  V1Cgroup(Paths paths, bool rootless, bool explicit_path)
      : Cgroup(std::move(paths), rootless, explicit_path) {}

  bool is_v2() const override { return false; }
  absl::Status Create() override;
  absl::Status Apply(const oci::LinuxResources& resources) override;
  absl::StatusOr<nlohmann::json> Stats() override;
  absl::Status Freeze() override;
  absl::Status Thaw() override;
  absl::StatusOr<bool> IsFrozen() override;
  absl::StatusOr<uint64_t> OomKills() override;
  std::optional<uint64_t> MemoryLimit() override;
};

// One controller's part of V1Cgroup::Apply. `directory` exists.
absl::Status ApplyV1Memory(const std::string& directory, const oci::MemoryResources& memory);
absl::Status ApplyV1Cpu(const std::string& directory, const oci::CpuResources& cpu);
absl::Status ApplyV1Cpuset(const std::string& directory, const oci::CpuResources& cpu);
absl::Status ApplyV1BlockIo(const std::string& directory, const oci::BlockIoResources& io);
absl::Status ApplyV1Devices(const std::string& directory,
                            const std::vector<oci::DeviceRule>& devices);

// A new v1 cpuset is empty, and no process may enter it: this copies the parent's, from the top.
absl::Status InheritCpuset(const std::string& directory);

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_V1_H_
