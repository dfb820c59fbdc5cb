// SPDX-License-Identifier: Apache-2.0
#ifndef RUNSC_VERSION_H_
#define RUNSC_VERSION_H_

#include <string>

namespace redoubt::runsc {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kOciVersion = "1.2.0";

inline std::string VersionText() {
  return std::string("runsc version ") + kVersion + "\nspec: " + kOciVersion;
}

}  // namespace redoubt::runsc

#endif  // RUNSC_VERSION_H_
