// SPDX-License-Identifier: Apache-2.0
//
// An independent observer of what stubs really ask of the host: a process of its own that traces
// them by ptrace. It believes nothing that platform or sentry say.
//
//   Observer::Start();                    // In main(), while the process has one thread.
//   Observer::Watch(pid);                 // All threads, and later ones and forks.
//   ... the guest attacks ...
//   std::vector<HostCall> calls = Observer::Finish();   // What reached the host.
//
// A call that the filter traps is stopped at its entry like any other, but is followed by SIGSYS
// before anything else happens in that thread: such calls are left out.
#ifndef PLATFORM_SECCOMP_TRAP_ATTACK_OBSERVER_H_
#define PLATFORM_SECCOMP_TRAP_ATTACK_OBSERVER_H_

#include <array>
#include <cstdint>
#include <vector>

namespace redoubt::platform::seccomp_trap {

struct HostCall {
  uint32_t arch = 0;
  uint64_t number = 0;
  uint64_t instruction = 0;  // After the call.
  std::array<uint64_t, 6> arguments{};
  int64_t result = 0;
};

struct Observed {
  std::vector<HostCall> calls;  // Those that the filter let through.
  uint64_t trapped = 0;
  bool complete = true;  // False when there were too many.
};

namespace observer {
void Start();
// False when this host does not let us trace. With `kill_children`, whatever the watched process
// clones is killed before its first instruction.
bool Watch(int pid, bool kill_children = false);
Observed Finish();
}  // namespace observer

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_ATTACK_OBSERVER_H_
