// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/tracee.h"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "platform/ptrace/stub_image.h"

namespace redoubt::platform::ptrace {
namespace {

// What the tracer of a thread with these registers wants it to do next in the stub's code.
Registers StubRegisters(uint64_t rip) {
  Registers r{};
  r.rip = rip;
  r.cs = kUserCodeSegment;
  r.ss = kUserStackSegment;
  r.orig_rax = ~uint64_t{0};
  return r;
}

}  // namespace

Result<void> Tracee::Check(Result<void> result) {
  if (result.Is(ESRCH)) {
    dead_ = true;
    process_.Kill();  // In case it is not: nothing works on it any more.
  }
  return result;
}

Result<void> Tracee::Attach() {
  if (dead()) return Errno(ESRCH);
  if (attached_) return {};
  // The host reaps threads of a dead process that nobody traced, and gives their ids to others.
  if (syscall(SYS_tgkill, process_.pid(), tid_, 0) != 0) return Check(Errno(ESRCH));
  TRY(Check(Seize(tid_)));
  attached_ = true;
  TRY(Check(InterruptTracee(tid_)));
  if (!BeginRunning() || AwaitStop().kind == Stop::Kind::kDead) return Errno(ESRCH);
  return {};
}

void Tracee::ReleaseClone() {
  if (!BeginRunning() || AwaitStop().kind == Stop::Kind::kDead) return;
  static_cast<void>(Check(Detach(tid_)));
}

void Tracee::Park() {
  if (!attached_) return;
  attached_ = false;
  if (dead()) return;
  if (Check(SetRegisters(tid_, StubRegisters(TheStubImage().entry))).ok()) {
    static_cast<void>(Check(Detach(tid_)));
  }
}

bool Tracee::BeginRunning() {
  State expected = State::kStopped;
  while (!state_.compare_exchange_weak(expected, State::kRunning)) {
    if (expected == State::kReaped) return false;
    expected = State::kStopped;
    sched_yield();
  }
  return true;
}

Stop Tracee::Run(ResumeMode mode) {
  if (dead() || !BeginRunning()) return {};
  // A thread that was killed while stopped cannot be resumed. Its end is left to whoever reaps the
  // process: waiting here could take as long as its other threads' handlers.
  if (!Check(Resume(tid_, mode)).ok()) {
    state_ = State::kStopped;
    return {};
  }
  return AwaitStop();
}

Stop Tracee::AwaitStop() {
  rusage usage{};
  Result<int> status = Wait(tid_, &usage);
  if (status.ok() && WIFSTOPPED(*status)) {
    state_ = State::kStopped;
    return Classify(*status);
  }
  NoteReaped(usage);
  return {};
}

void Tracee::NoteReaped(const rusage& usage) {
  dead_ = true;
  state_ = State::kReaped;
  if (is_first()) process_.NoteReaped(usage);
}

Stop Tracee::Classify(int status) {
  constexpr int kSyscallStop = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD.
  if (status >> 16 != 0) return {.kind = Stop::Kind::kOther};
  if (WSTOPSIG(status) == kSyscallStop) return {.kind = Stop::Kind::kSyscall};
  return {.kind = Stop::Kind::kSignal, .signal = WSTOPSIG(status)};
}

void Tracee::ExitThread() {
  if (!Attach().ok()) return AwaitDeath();
  Registers r = StubRegisters(TheStubImage().call.start);
  r.rax = SYS_exit;
  if (!Check(SetRegisters(tid_, r)).ok()) return AwaitDeath();
  // The host does not tell of a first thread's end while others live, so it is let go and ends by
  // itself. What it executes is the stub's own code; a late interrupt signal is ignored.
  if (is_first()) {
    attached_ = false;
    static_cast<void>(Check(Detach(tid_)));
    return;
  }
  while (Run(ResumeMode::kHost).kind != Stop::Kind::kDead) {
  }
  AwaitDeath();
}

void Tracee::AwaitDeath() {
  // The exit of the first thread is its process's, and StubProcess takes it.
  if (!attached_ || is_first()) return;
  while (BeginRunning()) AwaitStop();
}

void Tracee::EndOrphan() {
  // The child, if there is one, became a tracee before its parent died, and stops as soon as it
  // gets to run. How long that takes nobody can say: a tenth of a second after the parent's end.
  constexpr std::chrono::milliseconds kPause(1);
  constexpr int kPausesAfterEnd = 100, kPausesAtMost = 2000;
  int end = BeginRunning() ? kPausesAtMost : kPausesAfterEnd;
  for (int pauses = 0; pauses < end;) {
    rusage usage{};
    auto [tid, status] = PollAnyTracee(&usage);
    if (tid < 0) break;
    if (tid == 0) {
      std::this_thread::sleep_for(kPause);
      ++pauses;
    } else if (WIFSTOPPED(status)) {
      kill(tid, SIGKILL);
    } else if (tid == tid_) {
      NoteReaped(usage);
      end = std::min(kPausesAtMost, pauses + kPausesAfterEnd);
    }
  }
  if (state_ == State::kRunning) state_ = State::kStopped;  // Its exit is still to come.
}

void Tracee::ReapIfDead() {
  State stopped = State::kStopped;
  if (is_first() || !state_.compare_exchange_strong(stopped, State::kWatched)) return;
  bool exited = ReapIfExited(tid_);
  if (exited) dead_ = true;
  state_ = exited ? State::kReaped : State::kStopped;
}

void Tracee::SendInterruptSignal() const {
  syscall(SYS_tgkill, process_.pid(), tid_, kInterruptSignal);
}

}  // namespace redoubt::platform::ptrace
