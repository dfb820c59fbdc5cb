// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/placement.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace redoubt::platform::seccomp_trap {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(4);
constexpr double kLongRunNs = 2e6;
constexpr uint32_t kShortRunsToBind = 2;
// How long a side spins, about what a wake-up across CPUs costs; also what counts as a fast call, a
// hand-off in the other gear included.
constexpr double kSpinNs = 50e3;
// A turn taken this late by a spinning thread: something else ran on its CPU.
constexpr double kLateNs = 100e3;
constexpr uint32_t kMinCallsToSpin = 64, kMaxCallsToSpin = 2048;
// A miss while spinning undoes the gain of so many calls; how much gain counts.
constexpr int kMissCost = 64, kMaxSpinCredit = 256;
// A pair is moved when it ran at least this share of a tick, took this much longer by the clock
// than by CPU time, and finds a CPU that is busy with bound pairs for less than this share.
constexpr double kMinShare = 0.2, kContention = 1.5, kMaxBusyTarget = 0.5;

uint64_t NowNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

// CPU time of one thread; 0 when it is gone. The clock's number is the kernel's ABI
// (MAKE_THREAD_CPUCLOCK with CPUCLOCK_SCHED).
uint64_t ThreadCpuNs(int tid) {
  timespec t;
  auto clock = static_cast<clockid_t>((~static_cast<unsigned>(tid) << 3) | 6);
  if (tid == 0 || clock_gettime(clock, &t) != 0) return 0;
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

double CalibrateCyclesPerNs() {
  uint64_t ns = NowNs(), cycles = __rdtsc();
  absl::SleepFor(absl::Microseconds(200));
  double elapsed = static_cast<double>(NowNs() - ns);
  return static_cast<double>(__rdtsc() - cycles) / elapsed;
}

}  // namespace

Placement::Placement() {
  CPU_ZERO(&all_);
  if (sched_getaffinity(0, sizeof(all_), &all_) != 0 || CPU_COUNT(&all_) < 2) return;
  enabled_ = true;
  cycles_per_ns_ = CalibrateCyclesPerNs();
  long_run_cycles_ = static_cast<uint64_t>(kLongRunNs * cycles_per_ns_);
  spin_cycles_ = static_cast<uint64_t>(kSpinNs * cycles_per_ns_);
  late_cycles_ = static_cast<uint64_t>(kLateNs * cycles_per_ns_);
  loads_.resize(CPU_SETSIZE);
  thread_ = std::thread([this] { TickWhileActive(); });
}

Placement::~Placement() {
  if (!enabled_) return;
  {
    MutexLock lock(&mu_);
    stopping_ = true;
    wake_.Signal();
  }
  thread_.join();
}

Placement::Server& Placement::ThisServer() {
  static thread_local Server server;
  return server;
}

void Placement::Attach(Pair& pair) {
  if (!enabled_) return;
  Server& self = ThisServer();
  int cpu = pair.cpu;
  if (self.tid == 0) {
    self.tid = gettid();
    // A new thread may have inherited the binding of the one that made it.
    if (cpu < 0) SetFree(self.tid);
  }
  if (cpu >= 0) BindSelf(cpu);
  pair.serving_tid = self.tid;
  MutexLock lock(&mu_);
  pairs_.insert(&pair);
}

void Placement::Detach(Pair& pair) {
  if (!enabled_) return;
  MutexLock lock(&mu_);
  pairs_.erase(&pair);
}

void Placement::BindSelf(int cpu) { MoveSleeping(ThisServer(), cpu); }

void Placement::MoveSleeping(Server& server, int cpu) {
  if (!enabled_ || server.cpu == cpu) return;
  SetAffinity(server.tid, cpu);
  server.cpu = cpu;
}

void Placement::SetAffinity(int tid, int cpu) const {
  cpu_set_t one;
  CPU_ZERO(&one);
  if (cpu >= 0) CPU_SET(static_cast<unsigned>(cpu), &one);
  sched_setaffinity(tid, sizeof(one), cpu >= 0 ? &one : &all_);
}

void Placement::Resettle(Pair& pair) {
  if (!enabled_) return;
  int cpu = FreeCpu(pair);
  if (cpu < 0 || !CPU_ISSET(static_cast<unsigned>(cpu), &all_)) return;
  Bind(pair, cpu);
  BindSelf(cpu);
}

void Placement::Bind(Pair& pair, int cpu) {
  SetAffinity(pair.stub_tid, cpu);
  pair.cpu = cpu;
}

void Placement::SetFree(int tid) const {
  if (enabled_) SetAffinity(tid, -1);
}

void Placement::StayOff(int cpu, int tid) const {
  if (!enabled_ || cpu < 0) return;
  cpu_set_t others = all_;
  CPU_CLR(static_cast<unsigned>(cpu), &others);
  sched_setaffinity(0, sizeof(others), &others);
  sched_setaffinity(tid, sizeof(others), &others);
}

void Placement::Release(Pair& pair) {
  SetFree(pair.stub_tid);
  pair.cpu = -1;
}

TurnOutcome Placement::Run(Pair& pair, Slot& slot) {
  uint64_t now = __rdtsc();
  // The first time the stub still sleeps, and is woken across CPUs.
  uint64_t patience = pair.spin_cpu >= 0 && pair.spun_calls == 0 ? late_cycles_ : spin_cycles_;
  if (now - pair.last_report > patience) {  // The handler took long: the stub may sleep.
    pair.fast_calls = 0;
    if (pair.spin_cpu >= 0) CountMiss(pair, slot);
  }
  pair.running_since.store(now, std::memory_order_relaxed);
  GiveTurn(slot);
  if (pair.spin_cpu >= 0 && !SpinForTurn(slot, patience)) CountMiss(pair, slot);
  TurnOutcome outcome = AwaitTurn(slot, kNoTimeout);
  AfterRun(pair, slot);
  return outcome;
}

bool Placement::AwaitBriefly(const Slot& slot) const { return SpinForTurn(slot, spin_cycles_); }

void Placement::AfterRun(Pair& pair, Slot& slot) {
  uint64_t now = __rdtsc();
  uint64_t cycles = now - pair.running_since.load(std::memory_order_relaxed);
  pair.running_since.store(0, std::memory_order_relaxed);
  pair.last_report = now;
  if (!enabled_) return;
  pair.guest_cycles.store(pair.guest_cycles.load(std::memory_order_relaxed) + cycles,
                          std::memory_order_relaxed);
  pair.fast_calls = cycles < spin_cycles_ ? pair.fast_calls + 1 : 0;
  bool ticking = ticking_.load(std::memory_order_relaxed);
  int cpu = pair.cpu.load(std::memory_order_relaxed);
  if (pair.spin_cpu >= 0) {
    ++pair.spun_calls;
    pair.spin_credit = std::min(pair.spin_credit + 1, kMaxSpinCredit);
    uint64_t late = now - __atomic_load_n(&slot.posted_at, __ATOMIC_RELAXED);
    if (late > late_cycles_ && late < cycles) CountMiss(pair, slot);
    if (pair.spin_cpu < 0) return;
    if (!may_spin_.load(std::memory_order_relaxed)) return StopSpinning(pair, slot);
    if (!ticking) Adjust(pair, cycles);
  } else if (cpu != ThisServer().cpu || !ticking) {
    Adjust(pair, cycles);
  } else if (pair.fast_calls >= pair.fast_calls_to_spin && cpu >= 0 &&
             may_spin_.load(std::memory_order_relaxed)) {
    StartSpinning(pair, slot);
  }
}

void Placement::StartSpinning(Pair& pair, Slot& slot) {
  {
    MutexLock lock(&mu_);
    pair.spin_cpu = IdlestCpu(pair.cpu);
  }
  if (pair.spin_cpu < 0) return;
  pair.spun_calls = 0;
  pair.spin_credit = kMissCost;
  BindSelf(pair.spin_cpu);
  __atomic_store_n(&slot.spin_cycles, spin_cycles_, __ATOMIC_RELAXED);
  pair.last_report = __rdtsc();  // To move takes time, which is not the handler's.
}

void Placement::StopSpinning(Pair& pair, Slot& slot) {
  __atomic_store_n(&slot.spin_cycles, 0, __ATOMIC_RELAXED);
  pair.spin_cpu = -1;
  BindSelf(pair.cpu);
  bool paid = pair.spun_calls > 4 * pair.fast_calls_to_spin;
  uint32_t calls = paid ? pair.fast_calls_to_spin / 2 : pair.fast_calls_to_spin * 2;
  pair.fast_calls_to_spin = std::clamp(calls, kMinCallsToSpin, kMaxCallsToSpin);
  pair.fast_calls = 0;
}

// Somebody slept after all, and a wake-up crosses CPUs. Now and then that is cheaper than to leave.
void Placement::CountMiss(Pair& pair, Slot& slot) {
  pair.spin_credit -= kMissCost;
  if (pair.spin_credit < 0) StopSpinning(pair, slot);
}

int Placement::IdlestCpu(int except) {
  int best = -1;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(static_cast<unsigned>(cpu), &all_) || cpu == except) continue;
    if (best < 0 ||
        loads_[static_cast<size_t>(cpu)].busy < loads_[static_cast<size_t>(best)].busy) {
      best = cpu;
    }
  }
  return best;
}

void Placement::Adjust(Pair& pair, uint64_t cycles) {
  int cpu = pair.cpu.load(std::memory_order_relaxed);
  if (cpu < 0) {
    pair.short_runs = cycles < long_run_cycles_ ? pair.short_runs + 1 : 0;
    if (pair.short_runs >= kShortRunsToBind) {
      pair.short_runs = 0;
      cpu = FreeCpu(pair);
      if (cpu >= 0 && CPU_ISSET(static_cast<unsigned>(cpu), &all_)) Bind(pair, cpu);
    } else {
      cpu = -1;
    }
  }
  if (cpu >= 0 && pair.spin_cpu < 0) BindSelf(cpu);
  if (cpu < 0 || ticking_.exchange(true)) return;
  MutexLock lock(&mu_);
  wake_.Signal();
}

// Where this thread is (for a fork's child that is, at first, where its parent was), unless another
// guest runs there and none does elsewhere.
int Placement::FreeCpu(const Pair& pair) {
  int here = ThisServer().cpu >= 0 ? ThisServer().cpu : sched_getcpu();
  cpu_set_t taken;
  CPU_ZERO(&taken);
  MutexLock lock(&mu_);
  for (const Pair* other : pairs_) {
    int cpu = other->cpu.load(std::memory_order_relaxed);
    bool runs = other->running_since.load(std::memory_order_relaxed) != 0;
    if (other != &pair && cpu >= 0 && runs) CPU_SET(static_cast<unsigned>(cpu), &taken);
  }
  if (here < 0 || !CPU_ISSET(static_cast<unsigned>(here), &taken)) return here;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &all_) && !CPU_ISSET(cpu, &taken)) return static_cast<int>(cpu);
  }
  return here;
}

void Placement::TickWhileActive() {
  MutexLock lock(&mu_);
  uint64_t last = NowNs();
  while (!stopping_) {
    if (!ticking_) {
      wake_.Wait(mu_.raw());
    } else {
      wake_.WaitWithTimeout(mu_.raw(), kTick);
    }
    uint64_t now = NowNs();
    bool active = Tick(static_cast<double>(now - last));
    last = now;
    if (!active) ticking_ = false;
  }
}

bool Placement::Tick(double nanoseconds) {
  struct Share {
    Pair* pair;
    double ran, guest;
  };
  std::vector<Share> shares;
  for (Load& load : loads_) load.busy = 0;
  uint64_t now = __rdtsc();
  for (Pair* pair : pairs_) {
    int cpu = pair->cpu;
    if (cpu < 0) continue;
    uint64_t since = pair->running_since;
    Pair::Seen seen{pair->guest_cycles, ThreadCpuNs(pair->stub_tid),
                    ThreadCpuNs(pair->serving_tid)};
    auto ran = static_cast<double>(seen.stub_ns - pair->seen.stub_ns);
    double guest =
        static_cast<double>(seen.guest_cycles - pair->seen.guest_cycles) / cycles_per_ns_;
    loads_[static_cast<size_t>(cpu)].busy +=
        (ran + static_cast<double>(seen.serving_ns - pair->seen.serving_ns)) / nanoseconds;
    pair->seen = seen;
    if (since != 0 && now > since && now - since > long_run_cycles_) {
      Release(*pair);
    } else if (guest > 0 || since != 0) {
      shares.push_back({pair, ran, guest});
    }
  }
  may_spin_ = shares.size() == 1;
  if (may_spin_) return true;
  for (const Share& share : shares) {
    MoveIfContended(*share.pair, share.ran, share.guest, nanoseconds);
  }
  return !shares.empty();
}

void Placement::MoveIfContended(Pair& pair, double ran, double guest, double nanoseconds) {
  if (ran < kMinShare * nanoseconds || guest < kContention * ran) return;
  int best = IdlestCpu(pair.cpu);
  if (best < 0 || loads_[static_cast<size_t>(best)].busy > kMaxBusyTarget) return;
  loads_[static_cast<size_t>(best)].busy += ran / nanoseconds;
  Bind(pair, best);
}

}  // namespace redoubt::platform::seccomp_trap
