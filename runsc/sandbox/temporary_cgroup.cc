// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/temporary_cgroup.h"

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace redoubt::runsc {

absl::StatusOr<TemporaryCgroup> TemporaryCgroup::Make(const oci::LinuxResources& resources) {
  auto own = cgroup::Cgroup::Own();
  if (!own.ok()) return own.status();
  cgroup::Request request;
  request.container_id = absl::StrCat("runsc-do-", getpid());
  auto group = cgroup::Cgroup::Resolve(request);
  if (!group.ok()) return group.status();
  if (absl::Status status = (*group)->Create(); !status.ok()) return status;
  TemporaryCgroup made(*std::move(group), *std::move(own));
  absl::Status status = made.group_->Apply(cgroup::WithRoomForSandbox(resources));
  if (!status.ok()) return status;
  return made;
}

TemporaryCgroup::~TemporaryCgroup() {
  if (group_ == nullptr) return;
  (void)Leave();
  (void)group_->Signal(SIGKILL);
  (void)group_->Delete(absl::Seconds(2));
}

absl::Status TemporaryCgroup::Enter() { return group_->Enter(getpid()); }

absl::Status TemporaryCgroup::Leave() { return own_->Enter(getpid()); }

}  // namespace redoubt::runsc
