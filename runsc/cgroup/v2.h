// SPDX-License-Identifier: Apache-2.0
//
// The cgroup v2 side: one directory, whose parents must pass controllers down.
#ifndef RUNSC_CGROUP_V2_H_
#define RUNSC_CGROUP_V2_H_

#include "runsc/cgroup/cgroup.h"

namespace redoubt::cgroup {

class V2Cgroup final : public Cgroup {
 public:
  // `mount_point` may be empty when the cgroup exists already.
  V2Cgroup(Paths paths, bool rootless, bool explicit_path, std::string mount_point)
      : Cgroup(std::move(paths), rootless, explicit_path), mount_point_(std::move(mount_point)) {}

  bool is_v2() const override { return true; }
  absl::Status Create() override;
  absl::Status Apply(const oci::LinuxResources& resources) override;
  absl::StatusOr<nlohmann::json> Stats() override;
  absl::Status Freeze() override { return SetFrozen(true); }
  absl::Status Thaw() override { return SetFrozen(false); }
  absl::StatusOr<bool> IsFrozen() override;
  absl::StatusOr<uint64_t> OomKills() override;
  std::optional<uint64_t> MemoryLimit() override;

 private:
  std::string directory() const { return PathOf(""); }
  absl::Status SetFrozen(bool frozen);
  const std::string mount_point_;
};

// One controller's part of V2Cgroup::Apply.
absl::Status ApplyV2Memory(const std::string& directory, const oci::MemoryResources& memory);
absl::Status ApplyV2Cpu(const std::string& directory, const oci::CpuResources& cpu);
absl::Status ApplyV2Io(const std::string& directory, const oci::BlockIoResources& io);
absl::Status ApplyV2Unified(const std::string& directory,
                            const std::map<std::string, std::string>& files);

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_V2_H_
