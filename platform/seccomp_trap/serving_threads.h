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

namespace redoubt::platform::seccomp_trap {

class ServingThreads {
 public:
  ServingThreads() = default;
  // Waits until all work is done.
  ~ServingThreads();
  void Run(std::function<void()> work);

 private:
  static constexpr size_t kMaxIdle = 8;
  struct Idle {
    absl::CondVar wake;
    std::function<void()> work;
  };

  void Serve(std::function<void()> work);
  // Parks the calling thread until there is work; null: end the thread.
  std::function<void()> NextWork();

  Mutex<LockRank::kPlatform> mu_;
  absl::CondVar ended_;
  std::vector<Idle*> idle_ ABSL_GUARDED_BY(mu_);
  size_t threads_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_SERVING_THREADS_H_
