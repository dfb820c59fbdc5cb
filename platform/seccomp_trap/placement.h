// SPDX-License-Identifier: Apache-2.0
//
// Placement: on which CPU a guest thread and its serving thread run.
//
// A hand-off between two threads on one CPU costs a context switch (1-2 us). Left to the scheduler,
// each wake-up goes to an idle CPU, which has to be woken by an interrupt: 5-40 us on a virtual
// machine. So a *pair* whose guest calls often is bound to one CPU, both halves. Then the host
// cannot balance it any more, and we must:
//
// A second gear for bursts: while a pair is the only active one and calls come fast, its serving
// thread moves to another CPU and both sides spin for their turn. Whoever waits in vain too often
// ends that, and before it sleeps, the serving thread is back on the stub's CPU: no wake-up ever
// crosses CPUs. Short stays in this gear make the next entry harder.
//
// A new thread or process starts where its creator is bound, and a program where its process was
// before exec: its first calls are many, and would all cross CPUs. So a short life is cheap.
//
//   - A guest that stays in guest code for kLongRun is released: the host places it.
//   - A pair that has to wait for its CPU while another CPU has time is moved. "Has to wait": its
//     guest code took much longer by the clock than by its own CPU time.
//
// Both are done by a thread that ticks while bound pairs are active, and sleeps otherwise. On a
// machine with one CPU all of this is off.
#ifndef PLATFORM_SECCOMP_TRAP_PLACEMENT_H_
#define PLATFORM_SECCOMP_TRAP_PLACEMENT_H_

#include <sched.h>
#include <x86intrin.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/sync/mutex.h"
#include "platform/seccomp_trap/slots.h"

namespace redoubt::platform::seccomp_trap {

// A guest thread and the thread that serves it. Belongs to a context.
struct Pair {
  std::atomic<int> cpu = -1;  // Where it is bound; -1: free.
  std::atomic<int> stub_tid = 0;
  std::atomic<int> serving_tid = 0;
  std::atomic<uint64_t> running_since = 0;  // Cycles; 0 while the guest does not run.
  std::atomic<uint64_t> guest_cycles = 0;   // In guest code, by the clock.

  // The serving thread's own.
  uint32_t short_runs = 0;
  uint64_t last_report = 0;  // Cycles.
  uint32_t fast_calls = 0;   // In a row.
  uint32_t fast_calls_to_spin = 64;
  uint32_t spun_calls = 0;
  int spin_credit = 0;
  int spin_cpu = -1;  // Where the serving thread spins; -1: it does not.

  // What the ticking thread saw last.
  struct Seen {
    uint64_t guest_cycles = 0, stub_ns = 0, serving_ns = 0;
  } seen;
};

class Placement {
 public:
  // A serving thread, and the CPU that it is bound to; -1: free.
  struct Server {
    int tid = 0;
    int cpu = -1;
  };

  Placement();
  ~Placement();

  // The calling thread serves `pair` from now on, and no longer.
  void Attach(Pair& pair);
  void Detach(Pair& pair);
  // `child`'s stub thread was made by `parent`'s: the host has bound it to the same CPU.
  static void Inherit(Pair& child, const Pair& parent) { child.cpu = parent.cpu.load(); }
  // `pair` has got another stub, which sleeps: it goes on close to the calling thread, its server.
  void Resettle(Pair& pair);
  // The calling thread; and another one that sleeps, so that it wakes on `cpu`.
  static Server& ThisServer();
  void MoveSleeping(Server& server, int cpu);
  // Work that nobody waits for: the calling thread and thread `tid` leave `cpu` to others.
  void StayOff(int cpu, int tid) const;
  // Thread `tid` may run anywhere.
  void SetFree(int tid) const;
  // Around each stay in guest code, on the serving thread: lets it run, waits for its end.
  TurnOutcome Run(Pair& pair, Slot& slot);
  // For a pair in the spinning gear: spins for the end of a command; true: it has come.
  bool AwaitBriefly(const Slot& slot) const;

 private:
  struct Load {
    double busy = 0;  // Of one CPU, since the last tick.
  };

  void AfterRun(Pair& pair, Slot& slot);
  void Adjust(Pair& pair, uint64_t cycles);
  void StartSpinning(Pair& pair, Slot& slot);
  void StopSpinning(Pair& pair, Slot& slot);
  void CountMiss(Pair& pair, Slot& slot);
  int FreeCpu(const Pair& pair);
  int IdlestCpu(int except) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetAffinity(int tid, int cpu) const;  // -1: anywhere.
  void Bind(Pair& pair, int cpu);
  void BindSelf(int cpu);
  void TickWhileActive();
  // One tick; false when no pair was active.
  bool Tick(double nanoseconds) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Release(Pair& pair);
  void MoveIfContended(Pair& pair, double ran, double guest, double nanoseconds)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  cpu_set_t all_;
  bool enabled_ = false;
  double cycles_per_ns_ = 1;
  uint64_t long_run_cycles_ = 0, spin_cycles_ = 0, late_cycles_ = 0;
  std::atomic<bool> may_spin_ = false;  // One pair is active, as of the last tick.

  std::atomic<bool> ticking_ = false;
  Mutex<LockRank::kPlatform> mu_;
  absl::CondVar wake_;
  absl::flat_hash_set<Pair*> pairs_ ABSL_GUARDED_BY(mu_);
  std::vector<Load> loads_ ABSL_GUARDED_BY(mu_);  // By CPU number.
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_PLACEMENT_H_
