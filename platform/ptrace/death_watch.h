// SPDX-License-Identifier: Apache-2.0
//
// DeathWatch: lets the death of a stub with several threads be noticed soon.
//
// The host tells the tracer of a process's first thread of its end only when all other threads
// have been reaped by their tracers, and those may sit in a system call's handler for ever. So
// every so often, while there are such stubs, a thread reaps for them.
#ifndef PLATFORM_PTRACE_DEATH_WATCH_H_
#define PLATFORM_PTRACE_DEATH_WATCH_H_

#include <unordered_set>
#include <vector>

#include "base/ref_counted.h"
#include "base/sync/mutex.h"
#include "platform/ptrace/address_space.h"
#include "platform/ptrace/workers.h"

namespace redoubt::platform::ptrace {

class DeathWatch {
 public:
  // `workers` outlives it.
  explicit DeathWatch(Workers& workers) : workers_(workers) {}
  ~DeathWatch();

  // Holds no reference; the space removes itself.
  void Add(PtraceAddressSpace& space);
  void Remove(PtraceAddressSpace& space);

 private:
  void Watch();
  // Those that are not on their way out.
  std::vector<RefPtr<PtraceAddressSpace>> Spaces() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Workers& workers_;
  Mutex<LockRank::kPlatform> mu_;
  absl::CondVar changed_;
  std::unordered_set<PtraceAddressSpace*> spaces_ ABSL_GUARDED_BY(mu_);
  bool watching_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_DEATH_WATCH_H_
