// SPDX-License-Identifier: Apache-2.0
//
// wait4(2), waitid(2): whom they wait for, and what they tell. Stopped children are in
// stop_test.cc.

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/signals.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

// Waits until the child is a zombie, leaving it one.
void AwaitZombie(pid_t pid) {
  siginfo_t info;
  ASSERT_THAT(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), SyscallSucceeds());
}

TEST(Wait, NoChildrenIsEchild) {
  EXPECT_THAT(InForkedProcess([] {
                siginfo_t info;
                CHILD_CHECK_FAILS(wait(nullptr), ECHILD);
                CHILD_CHECK_FAILS(waitpid(-1, nullptr, WNOHANG), ECHILD);
                CHILD_CHECK_FAILS(waitpid(getppid(), nullptr, 0), ECHILD);
                CHILD_CHECK_FAILS(waitpid(1, nullptr, 0), ECHILD);
                CHILD_CHECK_FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
              }),
              ExitedWith(0));
}

TEST(Wait, StatusOfExit) {
  for (const int code : {0, 1, 77, 255}) {
    EXPECT_THAT(InForkedProcess([code] { _exit(code); }), ExitedWith(code));
  }
  EXPECT_THAT(InForkedProcess([] { syscall(SYS_exit_group, 0x1234); }), ExitedWith(0x34));
}

TEST(Wait, StatusOfDeathBySignal) {
  for (const int signal : {SIGKILL, SIGTERM, SIGUSR1, SIGALRM, SIGPIPE}) {
    EXPECT_THAT(InForkedProcess([signal] {
                  ::signal(signal, SIG_DFL);
                  kill(getpid(), signal);
                }),
                KilledBy(signal));
  }
}

TEST(Wait, NoHangIsZeroWhileTheChildLives) {
  SyncPoint go;
  ForkedChild child([&] { go.Await(); });
  int status = 1234;
  EXPECT_THAT(waitpid(child.pid(), &status, WNOHANG), SyscallSucceedsWithValue(0));
  go.Open();
  AwaitZombie(child.pid());
  EXPECT_THAT(waitpid(child.pid(), &status, WNOHANG), SyscallSucceedsWithValue(child.pid()));
  EXPECT_THAT(waitpid(child.pid(), &status, WNOHANG), SyscallFailsWith(ECHILD));
  child.Release();
}

TEST(Wait, ForAnyChildReapsEachOnce) {
  // In a process that has no other children: a test that runs as PID 1 adopts orphans.
  EXPECT_THAT(InForkedProcess([] {
                std::set<pid_t> children;
                for (int i = 0; i < 10; i++) {
                  const pid_t child = fork();
                  if (child == 0) _exit(0);
                  children.insert(child);
                }
                for (int i = 0; i < 10; i++) CHILD_CHECK(children.erase(wait(nullptr)) == 1);
                CHILD_CHECK_FAILS(wait(nullptr), ECHILD);
              }),
              ExitedWith(0));
}

TEST(Wait, ByProcessGroup) {
  ForkedChild other([] { pause(); });
  ForkedChild leader([] {
    setpgid(0, 0);
    _exit(3);
  });
  setpgid(leader.pid(), leader.pid());
  int status;
  EXPECT_THAT(waitpid(-leader.pid(), &status, 0), SyscallSucceedsWithValue(leader.pid()));
  EXPECT_THAT(status, ExitedWith(3));
  EXPECT_THAT(waitpid(-leader.pid(), &status, 0), SyscallFailsWith(ECHILD));
  leader.Release();
}

TEST(Wait, BadOptionsAreEinval) {
  siginfo_t info;
  EXPECT_THAT(waitpid(-1, nullptr, 0x100), SyscallFailsWith(EINVAL));
  EXPECT_THAT(waitid(P_ALL, 0, &info, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(waitid(static_cast<idtype_t>(99), 0, &info, WEXITED), SyscallFailsWith(EINVAL));
  EXPECT_THAT(waitid(P_PID, 0, &info, WEXITED), SyscallFailsWith(EINVAL));
}

TEST(Waitid, TellsWhoAndHow) {
  siginfo_t info = {};
  ForkedChild exits([] { _exit(9); });
  ASSERT_THAT(waitid(P_PID, exits.pid(), &info, WEXITED), SyscallSucceeds());
  EXPECT_EQ(info.si_pid, exits.Release());
  EXPECT_EQ(info.si_signo, SIGCHLD);
  EXPECT_EQ(info.si_code, CLD_EXITED);
  EXPECT_EQ(info.si_status, 9);
  EXPECT_EQ(info.si_uid, getuid());
  ForkedChild dies([] { raise(SIGKILL); });
  ASSERT_THAT(waitid(P_PID, dies.pid(), &info, WEXITED), SyscallSucceeds());
  dies.Release();
  EXPECT_EQ(info.si_code, CLD_KILLED);
  EXPECT_EQ(info.si_status, SIGKILL);
}

TEST(Waitid, NoWaitLeavesTheZombie) {
  ForkedChild child([] { _exit(4); });
  siginfo_t info;
  for (int i = 0; i < 2; i++) {
    ASSERT_THAT(waitid(P_PID, child.pid(), &info, WEXITED | WNOWAIT), SyscallSucceeds());
    EXPECT_EQ(info.si_status, 4);
  }
  EXPECT_THAT(kill(child.pid(), 0), SyscallSucceeds());  // A zombie still has its id.
  EXPECT_THAT(child.Wait(), ExitedWith(4));
}

TEST(Waitid, NoHangWithNothingToTellClearsPid) {
  SyncPoint go;
  ForkedChild child([&] { go.Await(); });
  siginfo_t info;
  info.si_pid = 1234;
  EXPECT_THAT(waitid(P_PID, child.pid(), &info, WEXITED | WNOHANG), SyscallSucceeds());
  EXPECT_EQ(info.si_pid, 0);
  go.Open();
}

TEST(Wait, GivesTheChildsUsage) {
  ForkedChild child([] {
    const nanoseconds start = Now(CLOCK_PROCESS_CPUTIME_ID);
    while (Now(CLOCK_PROCESS_CPUTIME_ID) - start < milliseconds(20)) {
    }
  });
  rusage usage = {};
  int status;
  ASSERT_THAT(wait4(child.pid(), &status, 0, &usage), SyscallSucceedsWithValue(child.Release()));
  EXPECT_GE(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec +
                1'000'000 * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec),
            10'000);
}

TEST(Wait, BlockedWaitIsEintr) {
  ScopedHandler handler(SIGUSR1, CountSignal);
  ForkedChild child([] { pause(); });
  const pid_t waiter = gettid();
  TestThread interrupter([&] {
    AwaitSleeping(getpid(), waiter);
    tgkill(getpid(), waiter, SIGUSR1);
  });
  EXPECT_THAT(waitpid(child.pid(), nullptr, 0), SyscallFailsWith(EINTR));
}

TEST(Wait, IgnoredSigchldReapsByItself) {
  EXPECT_THAT(InForkedProcess([] {
                signal(SIGCHLD, SIG_IGN);
                const pid_t child = fork();
                if (child == 0) _exit(0);
                CHILD_CHECK_FAILS(waitpid(child, nullptr, 0), ECHILD);
                CHILD_CHECK_FAILS(kill(child, 0), ESRCH);
              }),
              ExitedWith(0));
}

TEST(Wait, AnyThreadMayWait) {
  ForkedChild child([] { _exit(2); });
  int status = -1;
  TestThread waiter([&] { status = child.Wait(); });
  waiter.Join();
  EXPECT_THAT(status, ExitedWith(2));
}

TEST(Wait, OrphansGetAnotherParent) {
  Pipe pipe;
  EXPECT_THAT(InForkedProcess([&] {
                const pid_t middle = getpid();
                if (fork() == 0) {
                  // Its parent is gone when getppid() no longer names it.
                  while (getppid() == middle) sched_yield();
                  const bool adopted = getppid() != middle && getppid() >= 0;
                  (void)!write(pipe.writer.get(), adopted ? "y" : "n", 1);
                  _exit(0);
                }
              }),
              ExitedWith(0));
  char answer = 0;
  EXPECT_THAT(read(pipe.reader.get(), &answer, 1), SyscallSucceedsWithValue(1));
  EXPECT_EQ(answer, 'y');
}

}  // namespace
}  // namespace redoubt::test
