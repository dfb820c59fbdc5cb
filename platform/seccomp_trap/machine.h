// SPDX-License-Identifier: Apache-2.0
//
// What all processes and contexts of a platform share. Outlives them.
#ifndef PLATFORM_SECCOMP_TRAP_MACHINE_H_
#define PLATFORM_SECCOMP_TRAP_MACHINE_H_

#include <optional>
#include <span>

#include "platform/seccomp_trap/notifier.h"
#include "platform/seccomp_trap/placement.h"
#include "platform/seccomp_trap/warden.h"

namespace redoubt::platform::seccomp_trap {

struct Machine {
  Warden warden;
  std::optional<Notifier> notifier;  // From when the zygote has its filter.
  ShimInfo shim{};
  bool native_memory_calls = true;        // Before the zygote is started.
  std::span<const CallCapture> captures;  // Until the zygote has been started.
  uint64_t vdso_address = 0;
  // From when there may be threads: made after the zygote.
  std::optional<Placement> placement;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_MACHINE_H_
