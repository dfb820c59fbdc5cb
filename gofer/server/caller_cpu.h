// SPDX-License-Identifier: Apache-2.0
//
// CallerCpu: keeps the gofer on the CPU from which it is asked.
//
// A caller sleeps while it waits for the answer, so its CPU is free; and the switch to the gofer
// there costs 1-2 us, where waking an idle CPU costs 10-40 (on a virtual machine). Left to itself,
// the scheduler takes the idle one.
#ifndef GOFER_SERVER_CALLER_CPU_H_
#define GOFER_SERVER_CALLER_CPU_H_

#include <cstdint>

namespace redoubt::gofer {

class CallerCpu {
 public:
  // A request came from `cpu`, the caller says (it is not believed, only obliged); -1: unknown.
  // Follows when several in a row came from there.
  void Follow(int cpu);

 private:
  int bound_ = -1;
  int wanted_ = -1;
  int in_a_row_ = 0;
};

}  // namespace redoubt::gofer

#endif  // GOFER_SERVER_CALLER_CPU_H_
