// SPDX-License-Identifier: Apache-2.0
#ifndef PLATFORM_LOCAL_ANSWERS_H_
#define PLATFORM_LOCAL_ANSWERS_H_

#include <cstdint>

namespace redoubt::platform {

// What a platform may answer by itself, without an event.
struct LocalAnswers {
  int32_t pid = 0, tid = 0;  // getpid(2), gettid(2).
  uint32_t uid = 0, effective_uid = 0, gid = 0, effective_gid = 0;
  uint64_t signal_mask = 0;  // rt_sigprocmask(2), while no signal of this mask gets unblocked.
  uint64_t robust_list = 0;  // set_robust_list(2) replaces it.
};

}  // namespace redoubt::platform

#endif  // PLATFORM_LOCAL_ANSWERS_H_
