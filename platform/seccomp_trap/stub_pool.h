// SPDX-License-Identifier: Apache-2.0
//
// Pristine stubs, forked from the zygote before they are asked for, so that exec does not wait for
// a fork.
#ifndef PLATFORM_SECCOMP_TRAP_STUB_POOL_H_
#define PLATFORM_SECCOMP_TRAP_STUB_POOL_H_

#include <memory>
#include <thread>
#include <vector>

#include "base/sync/mutex.h"
#include "platform/seccomp_trap/stub_context.h"

namespace redoubt::platform::seccomp_trap {

class StubPool {
 public:
  StubPool(Machine& machine, std::unique_ptr<StubContext> zygote);
  // Kills the zygote and the stubs in the pool.
  ~StubPool();
  // A stub that has never run guest code. The host's error when none can be made.
  Result<RefPtr<StubProcess>> Take();

 private:
  static constexpr size_t kSize = 2;

  void Refill();
  // Refilling takes time from no guest that goes on meanwhile, if another CPU has some.
  void KeepOutOfTheWay(int cpu);

  Machine& machine_;
  std::unique_ptr<StubContext> zygote_;  // Used by the refilling thread only.
  int avoided_cpu_ = -1;                 // Likewise.
  Mutex<LockRank::kPlatform> mu_;
  absl::CondVar changed_;
  std::vector<RefPtr<StubProcess>> stubs_ ABSL_GUARDED_BY(mu_);
  size_t wanted_ ABSL_GUARDED_BY(mu_) = 0;  // Callers that wait in Take().
  int taker_cpu_ ABSL_GUARDED_BY(mu_) = -1;
  int error_ ABSL_GUARDED_BY(mu_) = 0;      // Of the last fork, for those callers.
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_STUB_POOL_H_
