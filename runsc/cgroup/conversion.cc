// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/conversion.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace redoubt::cgroup {

uint64_t CpuWeight(uint64_t shares) {
  if (shares == 0) return 0;
  shares = std::clamp<uint64_t>(shares, 2, 262144);
  return 1 + (shares - 2) * 9999 / 262142;
}

uint64_t IoWeight(uint64_t weight) {
  if (weight == 0) return 0;
  weight = std::clamp<uint64_t>(weight, 10, 1000);
  return 1 + (weight - 10) * 9999 / 990;
}

absl::StatusOr<SwapLimit> SwapAlone(int64_t memory_and_swap, int64_t memory) {
  if (memory == -1 && memory_and_swap == 0) return SwapLimit{true, -1};
  if (memory_and_swap == 0) return SwapLimit{};
  if (memory_and_swap == -1) return SwapLimit{true, -1};
  if (memory == 0 || memory == -1) {
    return absl::InvalidArgumentError("unable to set swap limit without memory limit");
  }
  if (memory < 0) {
    return absl::InvalidArgumentError(absl::StrCat("invalid memory value: ", memory));
  }
  if (memory_and_swap < memory) {
    return absl::InvalidArgumentError("memory+swap limit should be >= memory limit");
  }
  return SwapLimit{true, memory_and_swap - memory};
}

std::string Limit(int64_t value) { return value < 0 ? "max" : absl::StrCat(value); }

}  // namespace redoubt::cgroup
