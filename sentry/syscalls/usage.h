// SPDX-License-Identifier: Apache-2.0
//
// kernel::ResourceUsage as getrusage(2) and wait4(2) give it.
#ifndef SENTRY_SYSCALLS_USAGE_H_
#define SENTRY_SYSCALLS_USAGE_H_

#include "abi/linux/resource.h"
#include "sentry/kernel/thread_group.h"

namespace redoubt::syscalls {

inline abi::ResourceUsage ToAbi(const kernel::ResourceUsage& usage) {
  abi::ResourceUsage result;
  result.user_time = abi::TimevalFromNanoseconds(static_cast<int64_t>(usage.user_ns));
  result.system_time = abi::TimevalFromNanoseconds(static_cast<int64_t>(usage.system_ns));
  result.max_resident_kib = static_cast<int64_t>(usage.max_resident_kib);
  return result;
}

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_USAGE_H_
