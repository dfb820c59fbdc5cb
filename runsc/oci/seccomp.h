// SPDX-License-Identifier: Apache-2.0
//
// Compiles the runtime-spec's linux.seccomp into the program that the sentry runs for each system
// call of the container, from its first exec on.
//
//   absl::StatusOr<SeccompProfile> profile = CompileSeccomp(config["linux"]["seccomp"]);
//   process.set_seccomp_program(profile->Bytes());
//   process.set_seccomp_log((profile->flags & SECCOMP_FILTER_FLAG_LOG) != 0);
//
// The program is ordinary classic BPF over struct seccomp_data, as seccomp(2) takes it; nothing in
// the sentry knows where it came from. As in runc: a name that no kernel table knows is left out; a
// rule with several conditions on one argument matches when any of them does; calls newer than the
// newest that the profile names get ENOSYS instead of its refusal, so that libraries fall back.
// Guests here are x86-64 only: what else the profile says of architectures has no effect, but that
// x32 numbers get the default action where it names that one, and kill where it does not.
#ifndef RUNSC_OCI_SECCOMP_H_
#define RUNSC_OCI_SECCOMP_H_

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"

namespace redoubt::oci {

struct SeccompProfile {
  std::vector<sock_filter> program;  // Empty: no filter (the profile allows everything).
  uint32_t flags = 0;                // SECCOMP_FILTER_FLAG_* that the profile asks for.
  // With an action SCMP_ACT_NOTIFY: where the listener is to be sent, and with what.
  bool notifies = false;
  std::string listener_path, listener_metadata;

  // The program as boot::ProcessSpec carries it.
  std::string Bytes() const {
    return std::string(reinterpret_cast<const char*>(program.data()),
                       program.size() * sizeof(sock_filter));
  }
};

absl::StatusOr<SeccompProfile> CompileSeccomp(const nlohmann::json& seccomp);
absl::StatusOr<SeccompProfile> CompileSeccompText(const std::string& text);

// For `runsc features`.
std::vector<std::string> SeccompActions();
std::vector<std::string> SeccompOperators();
std::vector<std::string> SeccompArchitectures();

}  // namespace redoubt::oci

#endif  // RUNSC_OCI_SECCOMP_H_
