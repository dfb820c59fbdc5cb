// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/platforms.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "platform/ptrace/ptrace_platform.h"
#include "platform/seccomp_trap/seccomp_trap.h"

namespace redoubt::runsc {

std::span<const platform::PlatformType* const> AllPlatforms() {
  static const std::array kPlatforms = {&platform::PtracePlatformType(),
                                        &platform::SeccompTrapPlatformType()};
  return kPlatforms;
}

absl::StatusOr<const platform::PlatformType*> FindPlatform(std::string_view name) {
  std::string names;
  for (const platform::PlatformType* type : AllPlatforms()) {
    if (type->name == name) return type;
    absl::StrAppend(&names, names.empty() ? "" : ", ", std::string(type->name));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no platform \"", std::string(name), "\"; there is: ", names));
}

}  // namespace redoubt::runsc
