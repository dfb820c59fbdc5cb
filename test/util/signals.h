// SPDX-License-Identifier: Apache-2.0
//
// Signal handlers and masks that are put back at the end of a scope.
//
//   ScopedHandler handler(SIGUSR1, CountSignal);           // sa_handler
//   ScopedHandler handler(SIGUSR1, Record, SA_RESTART);    // sa_sigaction: SA_SIGINFO is added
//   ScopedBlock block({SIGUSR1, SIGUSR2});
//   EXPECT_TRUE(IsPending(SIGUSR1));

#ifndef REDOUBT_TEST_UTIL_SIGNALS_H_
#define REDOUBT_TEST_UTIL_SIGNALS_H_

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <initializer_list>

namespace redoubt::test {

inline sigset_t SignalSet(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals) sigaddset(&set, signal);
  return set;
}

class ScopedHandler {
 public:
  ScopedHandler(int signal, void (*handler)(int), int flags = 0) : signal_(signal) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, &previous_);
  }
  ScopedHandler(int signal, void (*handler)(int, siginfo_t*, void*), int flags = 0)
      : signal_(signal) {
    struct sigaction action = {};
    action.sa_sigaction = handler;
    action.sa_flags = flags | SA_SIGINFO;
    sigaction(signal, &action, &previous_);
  }
  ScopedHandler(const ScopedHandler&) = delete;
  ScopedHandler& operator=(const ScopedHandler&) = delete;
  ~ScopedHandler() { sigaction(signal_, &previous_, nullptr); }

 private:
  const int signal_;
  struct sigaction previous_;
};

// Blocks signals in this thread; a signal still pending is delivered when the scope ends.
class ScopedBlock {
 public:
  explicit ScopedBlock(std::initializer_list<int> signals) {
    const sigset_t set = SignalSet(signals);
    pthread_sigmask(SIG_BLOCK, &set, &previous_);
  }
  ScopedBlock(const ScopedBlock&) = delete;
  ScopedBlock& operator=(const ScopedBlock&) = delete;
  ~ScopedBlock() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

  const sigset_t& previous() const { return previous_; }

 private:
  sigset_t previous_;
};

inline bool IsBlocked(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

inline bool IsPending(int signal) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

// A handler that only counts; reset `signals_seen` first.
inline std::atomic<int> signals_seen{0};
inline void CountSignal(int) { signals_seen++; }

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_UTIL_SIGNALS_H_
