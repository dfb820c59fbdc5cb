// SPDX-License-Identifier: Apache-2.0
//
// StubProcess: one host process that is a stub, from its birth to its reaping.
//
// Its pid stays ours until it is reaped, and is somebody else's after that: everything that names
// it by pid goes through here. The threads in it are Tracees.
#ifndef PLATFORM_PTRACE_STUB_PROCESS_H_
#define PLATFORM_PTRACE_STUB_PROCESS_H_

#include <sys/resource.h>

#include <cstdint>

#include "base/sync/mutex.h"

namespace redoubt::platform::ptrace {

class StubProcess {
 public:
  explicit StubProcess(int pid) : pid_(pid) {}
  // Kills and reaps it unless that has been done.
  ~StubProcess();
  StubProcess(const StubProcess&) = delete;
  StubProcess& operator=(const StubProcess&) = delete;

  int pid() const { return pid_; }
  void Kill();
  // Kill, and waits until the host has given the process up. Its traced threads must be waited
  // for by their tracers, or this waits for ever.
  void KillAndReap();
  // A tracer has seen its first thread's exit, which the host shows only when all are gone.
  void NoteReaped(const rusage& usage);
  uint64_t CpuTimeNs() const;

 private:
  bool reaped() const;

  const int pid_;
  mutable Mutex<LockRank::kLeaf> mu_;
  bool reaped_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t final_cpu_ns_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_STUB_PROCESS_H_
