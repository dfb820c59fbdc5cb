// SPDX-License-Identifier: Apache-2.0
//
// The sentry's threads that serve guest threads, one each for as long as it lives. A thread that
// has nothing to serve is kept for the next guest thread: making one costs more than a fork's
// share.
#ifndef PLATFORM_SECCOMP_TRAP_SERVING_THREADS_H_
#define PLATFORM_SECCOMP_TRAP_SERVING_THREADS_H_

#include <functional>
#include <vector>

#include "base/sync/mutex.h"
#include "platform/seccomp_trap/placement.h"

namespace redoubt::platform::seccomp_trap {

class ServingThreads {
 public:
  explicit ServingThreads(Placement& placement) : placement_(placement) {}
  // Waits until all work is done.
  ~ServingThreads();
  // `cpu`: where the work is to begin; -1: anywhere.
  void Run(std::function<void()> work, int cpu);

 private:
  static constexpr size_t kMaxIdle = 8;
  struct Idle {
    absl::CondVar wake;
    std::function<void()> work;
    Placement::Server& server = Placement::ThisServer();
  };

  void Serve(std::function<void()> work);
  // Parks the calling thread until there is work; null: end the thread.
  std::function<void()> NextWork();

  Placement& placement_;
  Mutex<LockRank::kPlatform> mu_;
  absl::CondVar ended_;
  std::vector<Idle*> idle_ ABSL_GUARDED_BY(mu_);
  size_t threads_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_SERVING_THREADS_H_
