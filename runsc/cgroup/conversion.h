// SPDX-License-Identifier: Apache-2.0
//
// The specification's numbers are cgroup v1's; these are the same in cgroup v2's scale, rounded as
// runc and crun do.
#ifndef RUNSC_CGROUP_CONVERSION_H_
#define RUNSC_CGROUP_CONVERSION_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace redoubt::cgroup {

// cpu.shares, 2 to 262144, to cpu.weight, 1 to 10000. 0 stays 0: not set.
uint64_t CpuWeight(uint64_t shares);
// blkio.weight, 10 to 1000, to io.weight, 1 to 10000. 0 stays 0.
uint64_t IoWeight(uint64_t weight);
// v1 limits memory and swap together, v2 swap alone. Both in bytes, -1 for none, 0 for not set.
struct SwapLimit {
  bool set = false;
  int64_t bytes = -1;  // -1: no limit.
};
absl::StatusOr<SwapLimit> SwapAlone(int64_t memory_and_swap, int64_t memory);
// "max" for -1.
std::string Limit(int64_t value);

}  // namespace redoubt::cgroup

#endif  // RUNSC_CGROUP_CONVERSION_H_
