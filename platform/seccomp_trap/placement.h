// SPDX-License-Identifier: Apache-2.0
//
// Placement: on which CPU a guest thread and its serving thread run.
//
// A hand-off between two threads on one CPU costs a context switch (1-2 us). Left to the scheduler,
// each wake-up goes to an idle CPU, which has to be woken by an interrupt: 5-40 us on a virtual
// machine. So a *pair* whose guest calls often is bound to one CPU, both halves. Then the host cannot
// balance it any more, and we must:
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

namespace redoubt::platform::seccomp_trap {

// A guest thread and the thread that serves it. Belongs to a context.
struct Pair {
  std::atomic<int> cpu = -1;  // Where it is bound; -1: free.
  std::atomic<int> stub_tid = 0;
  std::atomic<int> serving_tid = 0;
  std::atomic<uint64_t> running_since = 0;  // Cycles; 0 while the guest does not run.
  std::atomic<uint64_t> guest_cycles = 0;   // In guest code, by the clock.
  uint32_t short_runs = 0;                  // The serving thread's.

  // What the ticking thread saw last.
  struct Seen {
    uint64_t guest_cycles = 0, stub_ns = 0, serving_ns = 0;
  } seen;
};

class Placement {
 public:
  Placement();
  ~Placement();

  // The calling thread serves `pair` from now on, and no longer.
  void Attach(Pair& pair);
  void Detach(Pair& pair);
  // Around each stay in guest code, on the serving thread.
  void BeforeRun(Pair& pair) {
    pair.running_since.store(__rdtsc(), std::memory_order_relaxed);
  }
  void AfterRun(Pair& pair) {
    uint64_t cycles = __rdtsc() - pair.running_since.load(std::memory_order_relaxed);
    pair.running_since.store(0, std::memory_order_relaxed);
    if (!enabled_) return;
    pair.guest_cycles.fetch_add(cycles, std::memory_order_relaxed);
    if (pair.cpu.load(std::memory_order_relaxed) != bound_cpu_ ||
        !ticking_.load(std::memory_order_relaxed)) {
      Adjust(pair, cycles);
    }
  }

 private:
  struct Load {
    double busy = 0;  // Of one CPU, since the last tick.
  };

  void Adjust(Pair& pair, uint64_t cycles);
  void Bind(Pair& pair, int cpu);
  void BindSelf(int cpu);
  void Run();
  // One tick; false when no pair was active.
  bool Tick(double nanoseconds);
  void Release(Pair& pair);
  void MoveIfContended(Pair& pair, double ran, double guest, double nanoseconds);

  cpu_set_t all_;
  bool enabled_ = false;
  double cycles_per_ns_ = 1;
  uint64_t long_run_cycles_ = 0;
  static thread_local int bound_cpu_;  // Of the calling thread; -1: free.

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
