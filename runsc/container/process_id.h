// SPDX-License-Identifier: Apache-2.0
//
// ProcessId: a process of the host that a later command can still tell from another one with the
// same number.
#ifndef RUNSC_CONTAINER_PROCESS_ID_H_
#define RUNSC_CONTAINER_PROCESS_ID_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/time/time.h"
#include "base/owned_fd.h"

namespace redoubt::runsc {

struct ProcessId {
  pid_t pid = 0;
  uint64_t start_time = 0;  // Field 22 of /proc/PID/stat: ticks since the host's boot.

  // Of a process that is there now; pid 0 when it is not.
  static ProcessId Of(pid_t pid);

  // Neither gone nor a zombie that nobody has reaped yet.
  bool IsAlive() const;
  // A descriptor of it; invalid when it is gone.
  OwnedFd Open() const;
  // Kills it, and waits until it has ended. True when it has.
  bool KillAndWait(absl::Duration deadline) const;
};

}  // namespace redoubt::runsc

#endif  // RUNSC_CONTAINER_PROCESS_ID_H_
