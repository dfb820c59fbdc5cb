// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/seccomp_profile.h"

#include <linux/seccomp.h>

#include "runsc/oci/seccomp.h"

namespace redoubt::runsc {

absl::Status AddSeccomp(const std::string& profile, boot::ProcessSpec& process) {
  if (profile.empty()) return absl::OkStatus();
  absl::StatusOr<oci::SeccompProfile> compiled = oci::CompileSeccompText(profile);
  if (!compiled.ok()) return compiled.status();
  if (compiled->notifies) {
    return absl::UnimplementedError(
        "linux.seccomp: SCMP_ACT_NOTIFY: a sandbox's calls cannot be sent to a listener");
  }
  process.set_seccomp_program(compiled->Bytes());
  process.set_seccomp_log((compiled->flags & SECCOMP_FILTER_FLAG_LOG) != 0);
  return absl::OkStatus();
}

}  // namespace redoubt::runsc
