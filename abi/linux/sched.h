// SPDX-License-Identifier: Apache-2.0
//
// clone3(2) and the scheduler's calls.
#ifndef ABI_LINUX_SCHED_H_
#define ABI_LINUX_SCHED_H_

#include <linux/sched.h>

#include <cstdint>

namespace redoubt::abi {

// struct clone_args.
struct CloneArguments {
  uint64_t flags = 0;
  uint64_t pidfd = 0;
  uint64_t child_tid = 0;
  uint64_t parent_tid = 0;
  uint64_t exit_signal = 0;
  uint64_t stack = 0;
  uint64_t stack_size = 0;
  uint64_t tls = 0;
  uint64_t set_tid = 0;
  uint64_t set_tid_size = 0;
  uint64_t cgroup = 0;
};
static_assert(sizeof(CloneArguments) == sizeof(clone_args));
inline constexpr uint64_t kCloneArgumentsMinimum = CLONE_ARGS_SIZE_VER0;

// struct sched_attr.
struct SchedulingAttributes {
  uint32_t size = 0;
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;
  uint32_t utilization_minimum = 0, utilization_maximum = 0;
};
static_assert(sizeof(SchedulingAttributes) == 56);            // SCHED_ATTR_SIZE_VER1.
inline constexpr uint32_t kSchedulingAttributesMinimum = 48;  // SCHED_ATTR_SIZE_VER0.

}  // namespace redoubt::abi

#endif  // ABI_LINUX_SCHED_H_
