// SPDX-License-Identifier: Apache-2.0
//
// The warden: one thread that sees to it that nothing waits for a guest for ever.
//
//   Deaths      Each stub has a pidfd here. When the host ends a stub, the warden tells its
//               StubProcess, which wakes whoever waits for its threads.
//   Burial      A stub stays a zombie as long as its StubProcess lives, so that its process id, by
//               which memory is copied, cannot become another process's. Then it is reaped.
//   Deadlines   A guest can forge its host signal mask and ignore an interrupt. One that has not
//               come out of guest code after kPatience is killed.
//   Strays      Children that nobody knows, of guests that broke their own fork (strays.h).
//
// It sleeps while nothing dies and no interrupt is on its way.
#ifndef PLATFORM_SECCOMP_TRAP_WARDEN_H_
#define PLATFORM_SECCOMP_TRAP_WARDEN_H_

#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/owned_fd.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "platform/seccomp_trap/strays.h"

namespace redoubt::platform::seccomp_trap {

// A guest process, as the warden sees it.
class Mortal {
 public:
  virtual ~Mortal() = default;
  // On the warden's thread, once, with the warden's lock held.
  virtual void OnHostDeath(int signal) = 0;
};

// Something that should leave guest code soon.
class Awaited {
 public:
  virtual ~Awaited() = default;
  // Whether it is still in the guest code that it was in when `run` was taken.
  virtual bool StillInRun(uint64_t run) const = 0;
  virtual void GiveUp() = 0;
};

class Warden {
 public:
  static constexpr absl::Duration kPatience = absl::Seconds(5);

  Warden();
  // Waits until every stub is buried.
  ~Warden();

  // Watches a child process. ESRCH when it is gone already.
  Result<void> Watch(int pid, Mortal& mortal);
  // `pid`'s owner is going: kills the stub if it lives, reaps it in time.
  void Abandon(int pid);
  // A child of this process that is nobody's: kills and reaps it. A watched one is only killed.
  void Bury(int pid);
  // True for a child of this process that has ended before anybody watched it.
  bool EndedUnwatched(int pid);
  // There may be a child that nobody knows: looks for it, in a while.
  void SuspectStray();
  // Blocks until the host has ended `pid`, for at most kPatience.
  void AwaitDeath(int pid);

  // `awaited` was interrupted in its `run`.
  void Expect(Awaited& awaited, uint64_t run);
  void Forget(Awaited& awaited);

 private:
  struct Ward {
    OwnedFd pidfd;
    Mortal* mortal = nullptr;  // Null once abandoned.
    bool dead = false;
  };
  struct Deadline {
    uint64_t run = 0;
    absl::Time due;
  };

  void Run();
  void OnDeath(int pid);
  void CheckDeadlines();
  void HuntStrays();
  void Wake();
  bool Finished();
  int TimeoutMilliseconds();

  OwnedFd epoll_;
  OwnedFd wake_;
  Mutex<LockRank::kPlatform> mu_;
  absl::CondVar died_;
  absl::flat_hash_map<int, Ward> wards_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Awaited*, Deadline> deadlines_ ABSL_GUARDED_BY(mu_);
  Strays strays_ ABSL_GUARDED_BY(mu_);
  int highest_pid_ ABSL_GUARDED_BY(mu_) = 0;  // Of all that were ever watched.
  bool ticking_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_WARDEN_H_
