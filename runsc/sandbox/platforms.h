// SPDX-License-Identifier: Apache-2.0
//
// The platforms of this build: the one place that links concrete ones.
#ifndef RUNSC_SANDBOX_PLATFORMS_H_
#define RUNSC_SANDBOX_PLATFORMS_H_

#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "platform/registry.h"

namespace redoubt::runsc {

// In order of preference.
std::span<const platform::PlatformType* const> AllPlatforms();

// By name; "auto" is seccomp-trap, or ptrace with a warning where the kernel lacks what that needs.
// INVALID_ARGUMENT with the names there are.
absl::StatusOr<const platform::PlatformType*> FindPlatform(std::string_view name);

}  // namespace redoubt::runsc

#endif  // RUNSC_SANDBOX_PLATFORMS_H_
