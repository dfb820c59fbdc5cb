// SPDX-License-Identifier: Apache-2.0
//
// What the attack tests share: finding the shim's gate as an attacker would, guests that end in any
// way, and threads that write over what another thread needs.
#ifndef PLATFORM_SECCOMP_TRAP_ATTACK_HOSTILE_GUEST_H_
#define PLATFORM_SECCOMP_TRAP_ATTACK_HOSTILE_GUEST_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::seccomp_trap {

// All `syscall` and `sysenter` instructions of the shim. The first is the gate's.
std::vector<uint64_t> ShimSyscalls(int pid);

// Writes `code` to kCode + offset, in the guest's one page of code.
void AddCode(Context& context, uint64_t offset, std::span<const char> code);

// Whether a guest that was left alone still works: one call of its own, answered.
class Bystander {
 public:
  Bystander();
  void ExpectWell();

 private:
  std::unique_ptr<conformance::GuestThread> guest_;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_ATTACK_HOSTILE_GUEST_H_
