// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/platforms.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "platform/ptrace/ptrace_platform.h"
#include "platform/seccomp_trap/seccomp_trap.h"

namespace redoubt::runsc {

std::span<const platform::PlatformType* const> AllPlatforms() {
  static const std::array kPlatforms = {&platform::PtracePlatformType(),
                                        &platform::SeccompTrapPlatformType()};
  return kPlatforms;
}

namespace {

// The first of the preferred ones that this machine supports; says so when it is not the best.
absl::StatusOr<const platform::PlatformType*> BestPlatform() {
  const platform::PlatformType& fast = platform::SeccompTrapPlatformType();
  absl::Status supported = fast.supported();
  if (supported.ok()) return &fast;
  LOG(Warning, "using the slower ptrace platform: %s", std::string(supported.message()).c_str());
  return &platform::PtracePlatformType();
}

}  // namespace

absl::StatusOr<const platform::PlatformType*> FindPlatform(std::string_view name) {
  if (name == "auto") return BestPlatform();
  std::string names = "auto";
  for (const platform::PlatformType* type : AllPlatforms()) {
    if (type->name == name) return type;
    absl::StrAppend(&names, ", ", std::string(type->name));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no platform \"", std::string(name), "\"; there is: ", names));
}

}  // namespace redoubt::runsc
