// SPDX-License-Identifier: Apache-2.0
//
// Resource limits of a process (getrlimit(2)).
#ifndef SENTRY_KERNEL_LIMITS_H_
#define SENTRY_KERNEL_LIMITS_H_

#include <sys/resource.h>

#include <array>
#include <cstdint>

namespace redoubt::kernel {

inline constexpr uint64_t kUnlimited = ~uint64_t{0};

struct Limit {
  uint64_t current = kUnlimited;
  uint64_t maximum = kUnlimited;
};
static_assert(sizeof(Limit) == sizeof(rlimit64));

// Indexed by RLIMIT_*.
using Limits = std::array<Limit, RLIM_NLIMITS>;

// What a first process gets when nobody says otherwise (Linux's INIT_RLIMITS, with finite bounds
// where the sentry needs them).
Limits DefaultLimits();

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_LIMITS_H_
