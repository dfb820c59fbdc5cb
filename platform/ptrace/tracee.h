// SPDX-License-Identifier: Apache-2.0
//
// Tracee: one host thread of a stub, from the view of the thread that traces it.
//
// A tracee belongs to one tracer thread. Before it is attached, and after Park(), it sleeps in the
// stub's own code and any thread may attach it. Only the tracer calls the functions here, except
// where a function says otherwise.
//
// Death: a stub can be killed at any time, stopped or not. Every function then fails with ESRCH and
// dead() holds. Dead is not yet reaped, and a thread that nobody reaps hides the death of its whole
// process from the tracer of the process's first thread (delay_group_leader in kernel/exit.c). So
// others may reap a tracee whose tracer is busy elsewhere: ReapIfDead, which the state word makes
// safe.
#ifndef PLATFORM_PTRACE_TRACEE_H_
#define PLATFORM_PTRACE_TRACEE_H_

#include <atomic>

#include "platform/ptrace/host_ptrace.h"
#include "platform/ptrace/stub_process.h"

namespace redoubt::platform::ptrace {

// Why a tracee stopped.
struct Stop {
  enum class Kind : uint8_t { kSyscall, kSignal, kOther, kDead };
  Kind kind = Kind::kDead;
  int signal = 0;  // kSignal.
};

class Tracee {
 public:
  // `process` outlives it.
  Tracee(StubProcess& process, int tid) : process_(process), tid_(tid) {}
  Tracee(const Tracee&) = delete;
  Tracee& operator=(const Tracee&) = delete;

  StubProcess& process() const { return process_; }
  int tid() const { return tid_; }
  bool is_first() const { return tid_ == process_.pid(); }
  bool attached() const { return attached_; }
  bool dead() const { return dead_.load(std::memory_order_acquire); }

  // Makes the calling thread the tracer, with the tracee stopped.
  Result<void> Attach();
  // A child that was cloned with CLONE_PTRACE is the caller's already: lets it go to its sleep.
  void ReleaseClone();
  // Gives it back to its sleep, for another thread to attach. The registers are lost.
  void Park();
  // Lets it run until it stops again.
  Stop Run(ResumeMode mode);
  // Ends this one thread by exit(2), and waits for it where the host allows.
  void ExitThread();
  // Once its process has been killed: takes this thread's exit off the host's hands.
  void AwaitDeath();

  // When it died in a clone with CLONE_PTRACE: finds and ends the child, if there is one, whose id
  // it could not tell any more. The calling thread must have no children of its own.
  void EndOrphan();

  // Passes `result` on; ESRCH in it means that this tracee is dead.
  Result<void> Check(Result<void> result);

  // Any thread: reaps it if it died while stopped.
  void ReapIfDead();
  // Any thread: the signal that brings it out of guest code or a blocking call.
  void SendInterruptSignal() const;

 private:
  // kStopped: the tracer may touch it. kRunning: the tracer waits for it. kWatched: another thread
  // is looking whether it died, for a moment. kReaped: the id may be somebody else's now.
  enum class State : uint8_t { kStopped, kRunning, kWatched, kReaped };

  // From kStopped to kRunning; false when it is reaped.
  bool BeginRunning();
  // Waits for its next stop or its end.
  Stop AwaitStop();
  void NoteReaped(const rusage& usage);
  static Stop Classify(int status);

  StubProcess& process_;
  const int tid_;
  bool attached_ = false;
  std::atomic<State> state_{State::kStopped};
  std::atomic<bool> dead_{false};
};

// Sent to tracees only; a guest can neither block nor see it.
inline constexpr int kInterruptSignal = SIGUSR1;

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_TRACEE_H_
