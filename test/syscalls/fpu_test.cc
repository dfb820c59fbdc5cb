// SPDX-License-Identifier: Apache-2.0
//
// Floating-point and vector registers belong to a thread, whatever happens to it: system calls,
// signal handlers that use them, other threads on the same processor, fork.

#include <immintrin.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>

#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

bool HasAvx() { return __builtin_cpu_supports("avx"); }
bool HasAvx512() { return __builtin_cpu_supports("avx512f"); }

// Overwrites all vector registers with `seed`.
__attribute__((target("avx"), noinline)) void ScribbleAvx(uint64_t seed) {
  asm volatile(
      "vmovq %0, %%xmm0; vmovddup %%xmm0, %%xmm0; vinsertf128 $1, %%xmm0, %%ymm0, %%ymm0\n"
      "vmovaps %%ymm0, %%ymm1; vmovaps %%ymm0, %%ymm2; vmovaps %%ymm0, %%ymm7\n"
      "vmovaps %%ymm0, %%ymm14; vmovaps %%ymm0, %%ymm15" ::"r"(seed)
      : "xmm0", "xmm1", "xmm2", "xmm7", "xmm14", "xmm15");
}

// Loads a pattern into vector registers, makes the call kill(pid, signal) with nothing in between,
// and tells whether the pattern is still there: what a signal that arrives right then must not
// change.
__attribute__((target("avx"), noinline)) bool KeepsAvxAcrossKill(pid_t pid, int signal,
                                                                 uint64_t seed) {
  alignas(32) uint64_t in[4] = {seed, seed + 1, seed + 2, seed + 3};
  alignas(32) uint64_t out[3][4];
  long result = 62;  // SYS_kill
  asm volatile(
      "vmovaps (%1), %%ymm1; vmovaps (%1), %%ymm7; vmovaps (%1), %%ymm15\n"
      "syscall\n"
      "vmovaps %%ymm1, (%2); vmovaps %%ymm7, 32(%2); vmovaps %%ymm15, 64(%2)"
      : "+a"(result)
      : "r"(in), "r"(out), "D"(static_cast<long>(pid)), "S"(static_cast<long>(signal))
      : "rcx", "r11", "xmm1", "xmm7", "xmm15", "memory");
  return result == 0 && memcmp(out[0], in, 32) == 0 && memcmp(out[1], in, 32) == 0 &&
         memcmp(out[2], in, 32) == 0;
}

__attribute__((target("avx512f"), noinline)) bool KeepsAvx512AcrossKill(pid_t pid, int signal) {
  alignas(64) uint64_t in[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  alignas(64) uint64_t out[2][8];
  uint32_t mask = 0;
  long result = 62;  // SYS_kill
  asm volatile(
      "vmovaps (%2), %%zmm3; vmovaps (%2), %%zmm31; kmovw %6, %%k3\n"
      "syscall\n"
      "vmovaps %%zmm3, (%3); vmovaps %%zmm31, 64(%3); kmovw %%k3, %1"
      : "+a"(result), "=r"(mask)
      : "r"(in), "r"(out), "D"(static_cast<long>(pid)), "S"(static_cast<long>(signal)), "r"(0x5a5a)
      : "rcx", "r11", "xmm3", "xmm31", "k3", "memory");
  return result == 0 && mask == 0x5a5a && memcmp(out[0], in, 64) == 0 &&
         memcmp(out[1], in, 64) == 0;
}

// Handlers use the registers themselves, without AVX-to-SSE clean-up by the compiler.
__attribute__((target("avx"))) void ScribblingHandler(int) {
  ScribbleAvx(0xdeadbeef);
  signals_seen++;
}
__attribute__((target("avx512f"))) void ScribblingHandler512(int) {
  asm volatile(
      "vpternlogd $0xff, %%zmm3, %%zmm3, %%zmm3; vmovaps %%zmm3, %%zmm31\n"
      "kxnorw %%k3, %%k3, %%k3" ::
          : "xmm3", "xmm31", "k3");
  signals_seen++;
}

TEST(Fpu, AvxOutlivesAHandlerThatUsesIt) {
  if (!HasAvx()) GTEST_SKIP() << "no AVX";
  ScopedHandler handler(SIGUSR1, ScribblingHandler);
  signals_seen = 0;
  for (int i = 1; i <= 50; i++) EXPECT_TRUE(KeepsAvxAcrossKill(getpid(), SIGUSR1, i * 1000));
  EXPECT_EQ(signals_seen, 50);
}

TEST(Fpu, Avx512OutlivesAHandlerThatUsesIt) {
  if (!HasAvx512()) GTEST_SKIP() << "no AVX-512";
  ScopedHandler handler(SIGUSR1, ScribblingHandler512);
  signals_seen = 0;
  EXPECT_TRUE(KeepsAvx512AcrossKill(getpid(), SIGUSR1));
  EXPECT_EQ(signals_seen, 1);
}

TEST(Fpu, SystemCallKeepsTheVectorRegisters) {
  if (!HasAvx()) GTEST_SKIP() << "no AVX";
  for (int i = 0; i < 100; i++) EXPECT_TRUE(KeepsAvxAcrossKill(getpid(), 0, i));
}

TEST(Fpu, ThreadsDoNotSeeEachOthers) {
  if (!HasAvx()) GTEST_SKIP() << "no AVX";
  std::atomic<int> wrong{0};
  auto work = [&](uint64_t seed) {
    for (int i = 0; i < 2000; i++) {
      if (!KeepsAvxAcrossKill(getpid(), 0, seed)) wrong++;
      if (i % 10 == 0) sched_yield();
    }
  };
  {
    TestThread a([&] { work(111); });
    TestThread b([&] { work(222); });
    TestThread c([&] { work(333); });
    TestThread d([&] { work(444); });
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Fpu, LoopIsRightWhileSignalsArrive) {
  ScopedHandler handler(SIGUSR1, HasAvx() ? ScribblingHandler : CountSignal);
  std::atomic<bool> done{false};
  double sum = 0;
  TestThread worker([&] {
    // Any order of rounding is the same here: all sums are exact.
    for (int i = 1; i <= 20'000'000; i++) sum += 0.5 * i;
    done = true;
  });
  // Not without end: where signals are slow the loop would not get on at all.
  for (int i = 0; i < 3000 && !done; i++) {
    pthread_kill(worker.handle(), SIGUSR1);
    sched_yield();
  }
  worker.Join();
  EXPECT_EQ(sum, 0.5 * (20'000'000.0 * 20'000'001.0 / 2));
}

TEST(Fpu, ChildOfForkHasTheRegistersOfItsParent) {
  // x87 and SSE control words, and a register, across a raw fork.
  std::fesetround(FE_DOWNWARD);
  double kept = 0;
  long result = 57;  // SYS_fork
  asm volatile("movq %2, %%xmm9; syscall; movq %%xmm9, %1"
               : "+a"(result), "=r"(kept)
               : "r"(2.5)
               : "rcx", "r11", "xmm9", "memory");
  if (result == 0) {
    CHILD_CHECK(kept == 2.5);
    CHILD_CHECK(std::fegetround() == FE_DOWNWARD);
    _exit(0);
  }
  EXPECT_EQ(kept, 2.5);
  EXPECT_THAT(WaitFor(static_cast<pid_t>(result)), ExitedWith(0));
  std::fesetround(FE_TONEAREST);
}

TEST(Fpu, RoundingModeOfAHandlerDoesNotStay) {
  static int in_handler;
  ScopedHandler handler(
      SIGUSR1, +[](int) {
        std::fesetround(FE_UPWARD);
        in_handler = std::fegetround();
      });
  raise(SIGUSR1);
  EXPECT_EQ(in_handler, FE_UPWARD);
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
}

TEST(Fpu, HandlerMayChangeTheSavedState) {
  static constexpr uint32_t kNew = 0x12345678;
  ScopedHandler handler(
      SIGUSR1, +[](int, siginfo_t*, void* context) {
        fpregset_t state = static_cast<ucontext_t*>(context)->uc_mcontext.fpregs;
        state->_xmm[9].element[0] = kNew;
      });
  uint64_t seen = 0;
  long result = 62;  // SYS_kill
  asm volatile("pxor %%xmm9, %%xmm9; syscall; movq %%xmm9, %1"
               : "+a"(result), "=r"(seen)
               : "D"(static_cast<long>(getpid())), "S"(static_cast<long>(SIGUSR1))
               : "rcx", "r11", "xmm9", "memory");
  EXPECT_EQ(seen, kNew);
}

TEST(Fpu, SavedStateSaysHowLongItIs) {
  // What GDB and unwinders look for: the extended area's magic, and the features saved in it.
  static uint32_t magic;
  static uint64_t features;
  ScopedHandler handler(
      SIGUSR1, +[](int, siginfo_t*, void* context) {
        const char* state =
            reinterpret_cast<char*>(static_cast<ucontext_t*>(context)->uc_mcontext.fpregs);
        memcpy(&magic, state + 464, sizeof(magic));
        memcpy(&features, state + 472, sizeof(features));
      });
  raise(SIGUSR1);
  EXPECT_EQ(magic, 0x46505853u);
  EXPECT_EQ(features & 3, 3u);
}

}  // namespace
}  // namespace redoubt::test
