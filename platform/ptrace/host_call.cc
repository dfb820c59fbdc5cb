// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/host_call.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>

namespace redoubt::platform::ptrace {
namespace {

constexpr uint64_t kInterruptFlag = 0x200;  // IF. Nothing else: a guest's TF must not act here.

Registers CallRegisters(const CallSite& site, const HostCallRequest& request) {
  Registers r{};
  r.rip = site.start;
  r.rflags = kInterruptFlag;
  r.cs = kUserCodeSegment;
  r.ss = kUserStackSegment;
  r.orig_rax = ~uint64_t{0};  // Or the host would restart the call that the guest is in.
  r.rax = static_cast<uint64_t>(request.number);
  r.rdi = request.arguments[0];
  r.rsi = request.arguments[1];
  r.rdx = request.arguments[2];
  r.r10 = request.arguments[3];
  r.r8 = request.arguments[4];
  r.r9 = request.arguments[5];
  return r;
}

SyscallResult FromRax(uint64_t rax) {
  auto value = static_cast<int64_t>(rax);
  if (value < 0 && value >= -4095) return Errno(static_cast<int>(-value));
  return rax;
}

// -ERESTARTSYS .. -ERESTARTNOHAND and -ERESTART_RESTARTBLOCK: the host would make the call again.
bool IsRestart(uint64_t rax) {
  auto value = -static_cast<int64_t>(rax);
  return (value >= 512 && value <= 514) || value == 516;
}

bool IsFault(int signal) {
  constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  return std::find(std::begin(kFaults), std::end(kFaults), signal) != std::end(kFaults);
}

}  // namespace

bool MayBlock(const HostCallRequest& request) {
  switch (request.number) {
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
      return true;
    case SYS_futex:
      switch (request.arguments[1] & FUTEX_CMD_MASK) {
        case FUTEX_WAIT:
        case FUTEX_WAIT_BITSET:
        case FUTEX_LOCK_PI:
        case FUTEX_LOCK_PI2:
        case FUTEX_WAIT_REQUEUE_PI:
          return true;
        default:
          return false;
      }
    default:
      constexpr long kFutexWaitv = 449, kFutexWait = 455;
      return request.number == kFutexWaitv || request.number == kFutexWait;
  }
}

SyscallResult InjectCall(Tracee& tracee, const CallSite& site, const HostCallRequest& request,
                         const std::atomic<bool>* interrupted) {
  const bool interruptible = interrupted != nullptr && MayBlock(request);
  if (interruptible && interrupted->load()) return Errno(EINTR);
  TRY(tracee.Check(SetRegisters(tracee.tid(), CallRegisters(site, request))));
  while (true) {
    Stop stop = tracee.Run(ResumeMode::kHost);
    if (stop.kind == Stop::Kind::kDead) return Errno(ESRCH);
    Registers now{};
    TRY(tracee.Check(GetRegisters(tracee.tid(), now)));
    if (stop.kind == Stop::Kind::kSignal) {
      if (stop.signal == SIGTRAP && now.rip == site.end) return FromRax(now.rax);
      // The stub's code cannot fault while it is mapped: somebody has torn a hole into it.
      if (IsFault(stop.signal)) return tracee.Check(Errno(ESRCH)).error();
    }
    // A signal came before the call, or woke it; left alone, the host would make it (again). An
    // interrupt that came before the call may have spent its signal already, hence both cases.
    bool not_done = now.rip == site.start || IsRestart(now.rax);
    if (interruptible && not_done && interrupted->load()) return Errno(EINTR);
  }
}

}  // namespace redoubt::platform::ptrace
