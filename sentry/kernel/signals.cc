// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/signals.h"

#include <algorithm>

namespace redoubt::kernel {

DefaultAction DefaultActionOf(int signal) {
  switch (signal) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH:
      return DefaultAction::kIgnore;
    case SIGCONT:
      return DefaultAction::kContinue;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      return DefaultAction::kStop;
    case SIGQUIT:
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGXCPU:
    case SIGXFSZ:
    case SIGSYS:
      return DefaultAction::kCore;
    default:
      return DefaultAction::kTerminate;
  }
}

RefPtr<SignalHandlers> SignalHandlers::Copy() const {
  auto copy = MakeRef<SignalHandlers>();
  copy->actions_ = actions_;
  return copy;
}

void SignalHandlers::ResetForExec() {
  for (SignalAction& action : actions_) {
    bool ignored = action.handler == abi::kSignalIgnore;
    action = SignalAction{};
    if (ignored) action.handler = abi::kSignalIgnore;
  }
}

bool SignalHandlers::Ignores(int signal) {
  uint64_t handler = (*this)[signal].handler;
  return handler == abi::kSignalIgnore ||
         (handler == abi::kSignalDefault && DefaultActionOf(signal) == DefaultAction::kIgnore);
}

bool PendingSignals::Add(const SignalInfo& info, size_t limit) {
  bool realtime = info.signal >= abi::kFirstRealtimeSignal;
  // A timer has one signal pending at most; later expiries only count (timer_getoverrun(2)).
  if (info.code == SI_TIMER) {
    for (SignalInfo& queued : queue_) {
      if (queued.code != SI_TIMER || queued.signal != info.signal ||
          queued.fields.timer.timer_id != info.fields.timer.timer_id) {
        continue;
      }
      queued.fields.timer.overrun += 1 + info.fields.timer.overrun;
      return true;
    }
  }
  if (!realtime && set_.Has(info.signal)) return false;
  if (realtime && queue_.size() >= limit) return false;
  set_.Add(info.signal);
  queue_.push_back(info);
  return true;
}

std::optional<SignalInfo> PendingSignals::Take(SignalSet wanted) {
  SignalSet ready = set_ & wanted;
  if (ready.empty()) return std::nullopt;
  constexpr SignalSet kSynchronous =
      SignalSet::OfAll(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS);
  if (!(ready & kSynchronous).empty()) ready = ready & kSynchronous;
  int signal = __builtin_ctzll(ready.bits()) + 1;
  auto match = [signal](const SignalInfo& info) { return info.signal == signal; };
  auto it = std::find_if(queue_.begin(), queue_.end(), match);
  if (it == queue_.end()) {  // A bare one.
    set_.Remove(signal);
    return UserSignal(signal, 0, 0);
  }
  SignalInfo info = *it;
  it = queue_.erase(it);
  if (std::none_of(it, queue_.end(), match)) set_.Remove(signal);
  return info;
}

void PendingSignals::Discard(SignalSet signals) {
  if ((set_ & signals).empty()) return;
  std::erase_if(queue_, [signals](const SignalInfo& info) { return signals.Has(info.signal); });
  set_ = set_ & ~signals;
}

SignalInfo UserSignal(int signal, int sender_tgid, uint32_t sender_uid, int code) {
  SignalInfo info;
  info.signal = signal;
  info.code = code;
  info.fields.sender.pid = sender_tgid;
  info.fields.sender.uid = sender_uid;
  return info;
}

SignalInfo KernelSignal(int signal) {
  SignalInfo info;
  info.signal = signal;
  info.code = SI_KERNEL;
  return info;
}

}  // namespace redoubt::kernel
