// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <cstdlib>

#include "base/log.h"

namespace redoubt::internal {

void CheckFailed(const char* file, int line, const char* condition) {
  Log(LogLevel::kFatal, file, line, condition);
  std::abort();
}

}  // namespace redoubt::internal
