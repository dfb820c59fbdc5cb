// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/limits.h"

namespace redoubt::kernel {

Limits DefaultLimits() {
  Limits limits;
  limits[RLIMIT_STACK] = {8 << 20, kUnlimited};
  limits[RLIMIT_CORE] = {0, kUnlimited};
  limits[RLIMIT_NPROC] = {4096, 4096};
  limits[RLIMIT_NOFILE] = {1024, 1 << 16};
  limits[RLIMIT_MEMLOCK] = {8 << 20, 8 << 20};
  limits[RLIMIT_SIGPENDING] = {4096, 4096};
  limits[RLIMIT_MSGQUEUE] = {819200, 819200};
  limits[RLIMIT_NICE] = {0, 0};
  limits[RLIMIT_RTPRIO] = {0, 0};
  return limits;
}

}  // namespace redoubt::kernel
