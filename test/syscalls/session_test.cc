// SPDX-License-Identifier: Apache-2.0
//
// Process groups, sessions, and terminals as far as job control needs them.

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

TEST(Setsid, MakesALeaderOfBoth) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(setsid() == getpid());
                CHILD_CHECK(getpgrp() == getpid());
                CHILD_CHECK(getsid(0) == getpid());
                CHILD_CHECK_FAILS(setsid(), EPERM);
                CHILD_CHECK_FAILS(setpgid(0, 0), EPERM);
              }),
              ExitedWith(0));
}

TEST(Setsid, OfAGroupLeaderIsEperm) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(setpgid(0, 0) == 0);
                CHILD_CHECK_FAILS(setsid(), EPERM);
              }),
              ExitedWith(0));
}

TEST(Setpgid, IsInheritedAndCanBeSetForAChild) {
  // In a session of its own: the test's group may be outside its PID namespace.
  EXPECT_THAT(InForkedProcess([] {
                const pid_t group = setsid();
                ForkedChild child([] { pause(); });
                CHILD_CHECK(getpgid(child.pid()) == group);
                CHILD_CHECK(setpgid(child.pid(), child.pid()) == 0);
                CHILD_CHECK(getpgid(child.pid()) == child.pid());
                CHILD_CHECK(setpgid(child.pid(), group) == 0);
                CHILD_CHECK(getpgid(child.pid()) == group);
              }),
              ExitedWith(0));
}

TEST(Setpgid, Errors) {
  EXPECT_THAT(setpgid(0, -1), SyscallFailsWith(EINVAL));
  EXPECT_THAT(InForkedProcess([] { CHILD_CHECK_FAILS(setpgid(getppid(), 0), ESRCH); }),
              ExitedWith(0));
  EXPECT_THAT(getpgid(0x7fff'fff0), SyscallFailsWith(ESRCH));
  EXPECT_THAT(getsid(0x7fff'fff0), SyscallFailsWith(ESRCH));
  ForkedChild child([] { pause(); });
  EXPECT_THAT(setpgid(child.pid(), 0x7fff'fff0), SyscallFailsWith(EPERM));
}

TEST(Setpgid, AfterExecOfTheChildIsEacces) {
  Pipe pipe(O_CLOEXEC);
  ForkedChild child([&] {
    Pipe forever;
    dup2(forever.reader.get(), 0);
    fcntl(forever.writer.get(), F_SETFD, 0);
    execl("/bin/cat", "cat", nullptr);
    _exit(127);
  });
  pipe.writer.reset();
  char byte;
  ASSERT_THAT(read(pipe.reader.get(), &byte, 1), SyscallSucceedsWithValue(0));  // It has exec'd.
  EXPECT_THAT(setpgid(child.pid(), child.pid()), SyscallFailsWith(EACCES));
}

TEST(Setpgid, IntoAnotherSessionIsEperm) {
  SyncPoint ready;
  ForkedChild child([&] {
    setsid();
    ready.Open();
    pause();
  });
  ASSERT_TRUE(ready.Await());
  EXPECT_THAT(getsid(child.pid()), SyscallSucceedsWithValue(child.pid()));
  EXPECT_THAT(setpgid(child.pid(), getpgrp()), SyscallFailsWith(EPERM));
}

TEST(Session, OrphanedStoppedGroupGetsHangupAndContinue) {
  Pipe pipe;
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(setsid() == getpid());
                const pid_t child = fork();
                if (child == 0) {
                  setpgid(0, 0);
                  signal(
                      SIGHUP, +[](int) {});
                  raise(SIGSTOP);  // Goes on only when SIGCONT comes,
                  (void)!write(pipe.writer.get(), "x", 1);
                  _exit(0);
                }
                int status;
                CHILD_CHECK(waitpid(child, &status, WUNTRACED) == child);
                CHILD_CHECK(WIFSTOPPED(status));
              }),  // which this exit brings: nobody is left who could continue the group.
              ExitedWith(0));
  char byte;
  EXPECT_THAT(read(pipe.reader.get(), &byte, 1), SyscallSucceedsWithValue(1));
}

// A session with a pseudo-terminal of its own: what `run` does happens in its leader.
template <typename Run>
void WithTerminal(Run run) {
  FileDescriptor master(posix_openpt(O_RDWR | O_NOCTTY));
  if (!master.valid()) GTEST_SKIP() << "no /dev/ptmx";
  ASSERT_THAT(grantpt(master.get()), SyscallSucceeds());
  ASSERT_THAT(unlockpt(master.get()), SyscallSucceeds());
  const std::string path = ptsname(master.get());
  ForkedChild leader([&] {
    CHILD_CHECK(setsid() == getpid());
    const int terminal = open(path.c_str(), O_RDWR);
    CHILD_CHECK(terminal >= 0);
    run(master.get(), terminal);
  });
  EXPECT_THAT(leader.Wait(), ExitedWith(0));
}

TEST(Terminal, FirstOneOpenedByALeaderControlsTheSession) {
  WithTerminal([](int, int terminal) {
    CHILD_CHECK(isatty(terminal));
    CHILD_CHECK(tcgetsid(terminal) == getpid());
    CHILD_CHECK(tcgetpgrp(terminal) == getpid());
    const int tty = open("/dev/tty", O_RDWR);
    CHILD_CHECK(tty >= 0);
    signal(SIGHUP, SIG_IGN);  // What giving it up sends.
    CHILD_CHECK(ioctl(terminal, TIOCNOTTY) == 0);
  });
}

TEST(Terminal, InterruptCharacterSignalsTheForegroundGroup) {
  WithTerminal([](int master, int terminal) {
    signal(SIGINT, SIG_IGN);
    ForkedChild job([] {
      signal(SIGINT, SIG_DFL);
      setpgid(0, 0);
      while (true) pause();
    });
    setpgid(job.pid(), job.pid());
    signal(SIGTTOU, SIG_IGN);
    CHILD_CHECK(tcsetpgrp(terminal, job.pid()) == 0);
    CHILD_CHECK(tcgetpgrp(terminal) == job.pid());
    AwaitSleeping(job.pid());
    CHILD_CHECK(write(master, "\003", 1) == 1);
    const int status = job.Wait();
    CHILD_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    signal(SIGHUP, SIG_IGN);
  });
}

TEST(Terminal, BackgroundReadStopsByTtin) {
  WithTerminal([](int, int terminal) {
    ForkedChild job([terminal] {
      setpgid(0, 0);
      char byte;
      (void)!read(terminal, &byte, 1);
    });
    int status;
    CHILD_CHECK(waitpid(job.pid(), &status, WUNTRACED) == job.pid());
    CHILD_CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
  });
}

TEST(Terminal, LineIsReadWholeAndEchoed) {
  WithTerminal([](int master, int terminal) {
    CHILD_CHECK(write(master, "ab\177c\n", 5) == 5);  // With one character taken back.
    char line[16];
    CHILD_CHECK(read(terminal, line, sizeof(line)) == 3);
    CHILD_CHECK(line[0] == 'a' && line[1] == 'c' && line[2] == '\n');
    CHILD_CHECK(write(terminal, "out\n", 4) == 4);
    std::string shown;
    while (shown.find("out\r\n") == std::string::npos) {
      char buffer[64];
      const ssize_t got = read(master, buffer, sizeof(buffer));
      CHILD_CHECK(got > 0);
      shown.append(buffer, got);
    }
  });
}

TEST(Terminal, NotOneIsEnotty) {
  Pipe pipe;
  winsize size;
  EXPECT_FALSE(isatty(pipe.reader.get()));
  EXPECT_THAT(ioctl(pipe.reader.get(), TIOCGWINSZ, &size), SyscallFailsWith(ENOTTY));
  EXPECT_THAT(tcgetpgrp(pipe.reader.get()), SyscallFailsWith(ENOTTY));
}

}  // namespace
}  // namespace redoubt::test
