// SPDX-License-Identifier: Apache-2.0
//
// Signal state: what handles signals (SignalHandlers) and what waits for delivery (PendingSignals).
// All of it is guarded by TaskSet::mu_.
#ifndef SENTRY_KERNEL_SIGNALS_H_
#define SENTRY_KERNEL_SIGNALS_H_

#include <array>
#include <deque>
#include <optional>

#include "abi/linux/signal.h"
#include "base/ref_counted.h"
#include "base/result.h"

namespace redoubt::kernel {

using abi::SignalAction;
using abi::SignalInfo;
using abi::SignalSet;

// What the default action of a signal does (signal(7)).
enum class DefaultAction : uint8_t { kTerminate, kCore, kStop, kContinue, kIgnore };
DefaultAction DefaultActionOf(int signal);

// Shared by CLONE_SIGHAND siblings (Linux's sighand_struct).
class SignalHandlers : public RefCounted<SignalHandlers> {
 public:
  RefPtr<SignalHandlers> Copy() const;
  SignalAction& operator[](int signal) { return actions_[static_cast<size_t>(signal - 1)]; }
  // exec: caught signals go back to their default, ignored ones stay.
  void ResetForExec();
  // Whether a signal would be thrown away at once (ignored, or ignored by default).
  bool Ignores(int signal);

 private:
  std::array<SignalAction, abi::kSignalCount> actions_{};
};

// Signals sent and not yet taken: one instance of each standard signal, a bounded queue of
// real-time ones.
class PendingSignals {
 public:
  SignalSet set() const { return set_; }
  // False when the signal was there already (standard signals) or the queue is full
  // (real-time: `limit` is RLIMIT_SIGPENDING; sigqueue then gives EAGAIN).
  bool Add(const SignalInfo& info, size_t limit);
  // Makes `signal` pending without a place in the queue: it comes as a plain SI_USER of nobody.
  void AddBare(int signal) { set_.Add(signal); }
  // Takes the first signal in `wanted`: synchronous ones first, then by number.
  std::optional<SignalInfo> Take(SignalSet wanted);
  void Discard(SignalSet signals);

 private:
  SignalSet set_;
  std::deque<SignalInfo> queue_;
};

// siginfo for a signal that a process or the kernel itself sends.
SignalInfo UserSignal(int signal, int sender_tgid, uint32_t sender_uid, int code = SI_USER);
SignalInfo KernelSignal(int signal);

}  // namespace redoubt::kernel

#endif  // SENTRY_KERNEL_SIGNALS_H_
