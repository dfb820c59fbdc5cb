// SPDX-License-Identifier: Apache-2.0
#include "gofer/server/caller_cpu.h"

#include <sched.h>

namespace redoubt::gofer {
namespace {

// Moving costs about as much as one wrong wake-up.
constexpr int kEnoughInARow = 4;

}  // namespace

void CallerCpu::Follow(int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE || cpu == bound_) {
    in_a_row_ = 0;
    return;
  }
  in_a_row_ = cpu == wanted_ ? in_a_row_ + 1 : 1;
  wanted_ = cpu;
  if (in_a_row_ < kEnoughInARow) return;
  in_a_row_ = 0;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  // Where that is refused (a cpuset), we stay.
  if (sched_setaffinity(0, sizeof(set), &set) == 0) bound_ = cpu;
}

}  // namespace redoubt::gofer
