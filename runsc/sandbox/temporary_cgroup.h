// SPDX-License-Identifier: Apache-2.0
//
// TemporaryCgroup: a cgroup for one sandbox that nobody names: made below our own (on v2 beside it)
// and gone when this object is.
//
//   absl::StatusOr<TemporaryCgroup> group = TemporaryCgroup::Make(resources);
//   group->Enter();    // This process: its children start in the cgroup.
//   ... fork ...
//   group->Leave();
#ifndef RUNSC_SANDBOX_TEMPORARY_CGROUP_H_
#define RUNSC_SANDBOX_TEMPORARY_CGROUP_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runsc/cgroup/cgroup.h"
#include "runsc/oci/resources.h"

namespace redoubt::runsc {

class TemporaryCgroup {
 public:
  static absl::StatusOr<TemporaryCgroup> Make(const oci::LinuxResources& resources);
  TemporaryCgroup(TemporaryCgroup&&) = default;
  ~TemporaryCgroup();

  absl::Status Enter();
  absl::Status Leave();
  // How many processes the host has killed here for lack of memory.
  uint64_t OomKills() { return group_->OomKills().value_or(0); }

 private:
  TemporaryCgroup(std::unique_ptr<cgroup::Cgroup> group, std::unique_ptr<cgroup::Cgroup> own)
      : group_(std::move(group)), own_(std::move(own)) {}
  std::unique_ptr<cgroup::Cgroup> group_;  // Null when moved from.
  std::unique_ptr<cgroup::Cgroup> own_;    // Where this process came from.
};

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_TEMPORARY_CGROUP_H_
