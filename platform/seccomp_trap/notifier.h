// SPDX-License-Identifier: Apache-2.0
//
// The notifier: the one thread that receives USER_NOTIF from all stubs and lets pass what the
// sentry has ordered, nothing else.
//
//   notifier.Order(tid, {SYS_munmap, {address, length}});   // Just before the stub is told.
//   ... the shim makes the call; the notifier compares number and all six arguments: CONTINUE ...
//   notifier.Withdraw(tid);                                  // When the stub has answered.
//
// Arguments are scalars in registers, which nobody can change after the notifier has seen them.
// Everything unexpected gets EPERM. A fork's child is unknown here when it makes its first call: it
// proves itself by a random token that only its creator's slot held.
#ifndef PLATFORM_SECCOMP_TRAP_NOTIFIER_H_
#define PLATFORM_SECCOMP_TRAP_NOTIFIER_H_

#include <linux/seccomp.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/owned_fd.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "platform/seccomp_trap/protocol.h"

namespace redoubt::platform::seccomp_trap {

struct OrderedCall {
  long number = 0;
  std::array<uint64_t, 6> arguments{};
  int file = -1;               // To be kStubFd in the stub during the call.
  unsigned free_argument = 6;  // One that the stub may choose.
};

class Notifier {
 public:
  // `bury` is called for a process that is nobody's: a fork's child whose parent died meanwhile, or
  // one that was sent astray. It is to be killed and reaped.
  Notifier(OwnedFd listener, std::function<void(int)> bury);
  // After StopAfterNextCall and one more call of any stub, or when all stubs are gone.
  ~Notifier();
  void StopAfterNextCall() { stopping_ = true; }

  // A stub thread that may be given orders. AddThread fails when `tid` is known already.
  bool AddThread(int tid);
  void RemoveThread(int tid);

  void Order(int tid, const OrderedCall& call);
  void Withdraw(int tid);

  // Expects a fork's child; `file` is its slots. Gives the token it must show.
  uint64_t ExpectChild(int file);
  // Whether the child has arrived, or was cancelled, within `timeout`.
  bool ChildArrives(uint64_t token, absl::Duration timeout);
  // The child's process id, already added as a thread, or nullopt after `timeout`. In any case the
  // token is void from then on.
  std::optional<int> AwaitChild(uint64_t token, absl::Duration timeout);
  // Ends AwaitChild early: the fork has failed.
  void CancelChild(uint64_t token);

 private:
  struct Child {
    int file = -1;
    int pid = 0;
    bool cancelled = false;
  };
  struct Verdict {
    int error = EPERM;  // 0: let the host do it.
    int file = -1;
  };

  void Run();
  void Answer(const seccomp_notif& call);
  Verdict JudgeLocked(const seccomp_notif& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Verdict JudgeChildLocked(const seccomp_notif& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Puts `file` into the stub as kStubFd; 0 or an errno.
  int Inject(uint64_t id, int file);

  const OwnedFd listener_;
  const std::function<void(int)> bury_;
  Mutex<LockRank::kLeaf> mu_;
  absl::CondVar child_arrived_;
  absl::flat_hash_map<int, std::optional<OrderedCall>> threads_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint64_t, Child> children_ ABSL_GUARDED_BY(mu_);
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_NOTIFIER_H_
