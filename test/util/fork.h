// SPDX-License-Identifier: Apache-2.0
//
// Running part of a test in a child process.
//
// Whatever changes a process for good (its ids, limits, handlers, its death) runs in a child:
//
//   EXPECT_THAT(InForkedProcess([&] {
//     CHILD_CHECK(setuid(65534) == 0);
//     CHILD_CHECK_FAILS(open("/etc/shadow", O_RDONLY), EACCES);
//   }), ExitedWith(0));
//
// A child that has to be talked to while it lives is a ForkedChild; it is killed and reaped when it
// goes out of scope, so that a failed assertion leaves no process behind. SyncPoint lets one
// process wait for another without sleeping.
//
// A child must not use GoogleTest's macros: their verdict would be lost with it. CHILD_CHECK only
// makes async-signal-safe calls, so it also serves after vfork, in threads and in signal handlers.

#ifndef REDOUBT_TEST_UTIL_FORK_H_
#define REDOUBT_TEST_UTIL_FORK_H_

#include <gmock/gmock-matchers.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "test/util/file_descriptor.h"

namespace redoubt::test {

// The exit status of a child in which a CHILD_CHECK did not hold.
inline constexpr int kChildCheckFailed = 97;

// Says on standard error what did not hold, and ends the process.
[[noreturn]] void ChildCheckFailed(const char* file, int line, const char* what, int error);

#define CHILD_CHECK(condition)                                                  \
  do {                                                                          \
    if (!(condition)) {                                                         \
      ::redoubt::test::ChildCheckFailed(__FILE__, __LINE__, #condition, errno); \
    }                                                                           \
  } while (false)

// The call must return -1 and set errno to `error`.
#define CHILD_CHECK_FAILS(call, error)                                                           \
  do {                                                                                           \
    errno = 0;                                                                                   \
    if ((call) != -1 || errno != (error)) {                                                      \
      ::redoubt::test::ChildCheckFailed(__FILE__, __LINE__, #call " fails with " #error, errno); \
    }                                                                                            \
  } while (false)

// waitpid(2) that goes on after EINTR. Returns the wait status, or -1.
int WaitFor(pid_t pid);

class ForkedChild {
 public:
  // Forks; the child runs `body` and exits with 0 when it returns.
  template <typename Body>
  explicit ForkedChild(Body&& body) : pid_(fork()) {
    if (pid_ == 0) {
      body();
      _exit(0);
    }
  }
  ForkedChild(const ForkedChild&) = delete;
  ForkedChild& operator=(const ForkedChild&) = delete;
  ~ForkedChild() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    WaitFor(pid_);
  }

  pid_t pid() const { return pid_; }
  // Waits for its end; returns its wait status.
  int Wait() { return WaitFor(std::exchange(pid_, -1)); }
  // The test reaps this child itself.
  pid_t Release() { return std::exchange(pid_, -1); }

 private:
  pid_t pid_;
};

// Runs `body` in a child and returns its wait status.
template <typename Body>
int InForkedProcess(Body&& body) {
  ForkedChild child(std::forward<Body>(body));
  return child.Wait();
}

// fork, exec of `argv` (ended by nullptr), wait. 127 when the exec fails.
int RunProgram(const char* const argv[]);

// A one-way gate between processes or threads: Await() returns once another has called Open().
// It also returns when every process that could open it is gone, with false.
class SyncPoint {
 public:
  void Open() { (void)!write(pipe_.writer.get(), "x", 1); }
  bool Await() {
    char byte;
    return read(pipe_.reader.get(), &byte, 1) == 1;
  }

 private:
  Pipe pipe_{O_CLOEXEC};
};

MATCHER_P(ExitedWith, code, "exited with the given status") {
  if (WIFSIGNALED(arg)) *result_listener << "killed by signal " << WTERMSIG(arg);
  if (WIFEXITED(arg)) *result_listener << "exited with " << WEXITSTATUS(arg);
  return WIFEXITED(arg) && WEXITSTATUS(arg) == code;
}

MATCHER_P(KilledBy, signal, "was killed by the given signal") {
  if (WIFSIGNALED(arg)) *result_listener << "killed by signal " << WTERMSIG(arg);
  if (WIFEXITED(arg)) *result_listener << "exited with " << WEXITSTATUS(arg);
  return WIFSIGNALED(arg) && WTERMSIG(arg) == signal;
}

// Becomes the user nobody, without capabilities. For use in a child; true also when the process has
// no privileges to begin with.
bool DropPrivileges();

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_UTIL_FORK_H_
