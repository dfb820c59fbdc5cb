// SPDX-License-Identifier: Apache-2.0
//
// runsc do's --memory, --cpus, --pids-limit.
#ifndef RUNSC_CMD_DO_LIMITS_H_
#define RUNSC_CMD_DO_LIMITS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "runsc/oci/resources.h"
#include "runsc/sandbox/sandbox.h"
#include "runsc/sandbox/sandbox_spec.h"

namespace redoubt::runsc {

struct LimitFlags {
  std::string memory;      // "128m"
  std::string cpus;        // "1.5"
  std::string pids_limit;  // "100"
};

void AddLimitFlags(CLI::App& command, LimitFlags& flags);
absl::StatusOr<oci::LinuxResources> ParseLimits(const LimitFlags& flags);

// Runs the sandbox in a cgroup of its own, if there is a limit. Where no cgroup can be made (an
// ordinary user, as a rule) it warns: the guest sees the limits, and only the number of tasks
// holds.
absl::StatusOr<SandboxOutcome> RunWithLimits(const SandboxSpec& spec,
                                             const oci::LinuxResources& resources);

}  // namespace redoubt::runsc

#endif  // RUNSC_CMD_DO_LIMITS_H_
