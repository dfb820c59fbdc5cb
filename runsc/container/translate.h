// SPDX-License-Identifier: Apache-2.0
//
// From a config.json to the sandbox that it asks for.
#ifndef RUNSC_CONTAINER_TRANSLATE_H_
#define RUNSC_CONTAINER_TRANSLATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "runsc/oci/spec.h"
#include "runsc/sandbox/sandbox_spec.h"

namespace redoubt::runsc {

struct TranslateOptions {
  std::string bundle;
  const platform::PlatformType* platform = nullptr;
  bool overlay = false;  // The root's changes stay in memory, and are gone with the container.
  bool strace = false;
};

// Looks at the host for what mounts need. What has no meaning in a sandbox is told in the log.
absl::StatusOr<SandboxSpec> TranslateSpec(const oci::Spec& spec, const TranslateOptions& options);

// `seccomp`: the container's profile, as oci::Linux has it.
absl::StatusOr<boot::ProcessSpec> TranslateProcess(const oci::Process& process,
                                                   const std::string& seccomp);

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_TRANSLATE_H_
