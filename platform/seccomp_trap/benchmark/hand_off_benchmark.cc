// SPDX-License-Identifier: Apache-2.0
//
// What one call to the sentry and back costs, by the guest's work between two calls, the number of
// guest threads (processes of their own) and of CPUs: the figures on which the hand-off is built.
//
//   hand_off_benchmark [calls per thread]
//
// The handler does nothing. Each figure is the best of three: wall time per call and thread, less
// the work, in microseconds.
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/check.h"
#include "platform/seccomp_trap/seccomp_trap.h"

namespace redoubt::platform {
namespace {

constexpr uint64_t kCode = 0x10000000;
constexpr uint64_t kDone = 1002;

// r12 times: r13 turns of an empty loop, then a call.
asm(R"(.pushsection .rodata
guest_begin:
1:mov %r13, %rcx
  test %rcx, %rcx
  jz 3f
2:dec %rcx
  jnz 2b
3:mov $1001, %eax
  syscall
  dec %r12
  jnz 1b
  mov $1002, %eax
  syscall
guest_end: .byte 0
.popsection)");
extern "C" const char guest_begin[], guest_end[];

double Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

// Turns of the guest's loop in one microsecond.
double TurnsPerMicrosecond() {
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    uint64_t turns = 3'000'000;
    double start = Now();
    asm volatile("1: dec %0\n jnz 1b" : "+r"(turns));
    best = std::max(best, 3'000'000 / (Now() - start));
  }
  return best;
}

class Guest : public GuestEvents {
 public:
  Guest(Platform& platform, uint64_t calls, uint64_t turns) {
    auto space = platform.NewAddressSpace();
    CHECK(space.ok());
    auto context = platform.NewContext(*space);
    CHECK(context.ok());
    constexpr int kProtection = PROT_READ | PROT_WRITE;
    CHECK((*context)
              ->HostCall({.number = SYS_mmap,
                          .arguments = {kCode, 4096, kProtection,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, ~uint64_t{0}, 0}})
              .ok());
    std::span<const char> code(guest_begin, guest_end);
    CHECK((*space)->CopyOut(kCode, std::as_bytes(code)).ok());
    CHECK(
        (*context)
            ->HostCall({.number = SYS_mprotect, .arguments = {kCode, 4096, PROT_READ | PROT_EXEC}})
            .ok());
    Registers& r = (*context)->registers();
    r.rip = kCode, r.r12 = calls, r.r13 = turns;
    context_ = std::move(*context);
  }
  void Start(Platform& platform) { platform.Start(std::move(context_), *this); }
  void Wait() {
    while (!exited_) exited_.wait(false);
  }

 private:
  NextStep OnEvent(Context& context, const Event& event) override {
    CHECK(event.kind == Event::Kind::kSyscall);
    if (event.syscall_number == kDone) return NextStep::kExit;
    context.registers().rax = 0;
    return NextStep::kResume;
  }
  void OnExited() override {
    exited_ = true;
    exited_.notify_all();
  }

  std::unique_ptr<Context> context_;
  std::atomic<bool> exited_ = false;
};

double Measure(Platform& platform, int threads, uint64_t calls, double work, double turns) {
  std::vector<std::unique_ptr<Guest>> guests;
  for (int i = 0; i < threads; ++i) {
    guests.push_back(std::make_unique<Guest>(platform, calls, static_cast<uint64_t>(work * turns)));
  }
  double start = Now();
  for (auto& guest : guests) guest->Start(platform);
  for (auto& guest : guests) guest->Wait();
  double cpus = std::min(threads, static_cast<int>(std::thread::hardware_concurrency()));
  double per_call = (Now() - start) / static_cast<double>(calls);
  return per_call - work * threads / cpus;
}

}  // namespace
}  // namespace redoubt::platform

int main(int argc, char** argv) {
  using namespace redoubt::platform;
  uint64_t calls = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  auto platform = SeccompTrapPlatformType().create({});
  CHECK(platform.ok());
  double turns = TurnsPerMicrosecond();
  std::printf("%-8s %8s %8s %8s %8s\n", "threads", "0 us", "2 us", "20 us", "200 us");
  for (int threads : {1, 2, 4, 8}) {
    std::printf("%-8d", threads);
    for (double work : {0.0, 2.0, 20.0, 200.0}) {
      uint64_t n = work > 100 ? calls / 10 : calls;
      double best = 1e9;
      for (int i = 0; i < 3; ++i) {
        best = std::min(best, Measure(**platform, threads, n, work, turns));
      }
      std::printf(" %8.2f", best);
      std::fflush(stdout);
    }
    std::printf("\n");
  }
  return 0;
}
