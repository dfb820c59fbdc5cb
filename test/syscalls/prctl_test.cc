// SPDX-License-Identifier: Apache-2.0
//
// prctl(2), arch_prctl(2).

#include <asm/prctl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

TEST(Prctl, NameIsCutAtFifteenAndBelongsToTheThread) {
  TestThread thread([] {
    char name[16];
    ASSERT_THAT(prctl(PR_SET_NAME, "a_very_long_thread_name"), SyscallSucceeds());
    ASSERT_THAT(prctl(PR_GET_NAME, name), SyscallSucceeds());
    EXPECT_STREQ(name, "a_very_long_thr");
    EXPECT_EQ(ReadFile("/proc/self/task/" + std::to_string(gettid()) + "/comm"),
              "a_very_long_thr\n");
  });
  thread.Join();
  char name[16];
  ASSERT_THAT(prctl(PR_GET_NAME, name), SyscallSucceeds());
  EXPECT_STRNE(name, "a_very_long_thr");
}

TEST(Prctl, ParentDeathSignalComes) {
  Pipe pipe;
  EXPECT_THAT(InForkedProcess([&] {
                SyncPoint ready;
                if (fork() == 0) {
                  signal(
                      SIGUSR1, +[](int) {});
                  sigset_t block;
                  sigemptyset(&block);
                  sigaddset(&block, SIGUSR1);
                  sigprocmask(SIG_BLOCK, &block, nullptr);
                  CHILD_CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
                  ready.Open();
                  int got = 0;
                  CHILD_CHECK(sigwait(&block, &got) == 0);
                  CHILD_CHECK(write(pipe.writer.get(), &got, sizeof(got)) == sizeof(got));
                  _exit(0);
                }
                CHILD_CHECK(ready.Await());
              }),
              ExitedWith(0));
  pipe.writer.reset();
  int got = 0;
  EXPECT_THAT(read(pipe.reader.get(), &got, sizeof(got)), SyscallSucceedsWithValue(4));
  EXPECT_EQ(got, SIGUSR1);
}

TEST(Prctl, ParentDeathSignalIsToldAndClearedByFork) {
  EXPECT_THAT(InForkedProcess([] {
                int signal = -1;
                CHILD_CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0);
                CHILD_CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == SIGTERM);
                CHILD_CHECK_FAILS(prctl(PR_SET_PDEATHSIG, 99), EINVAL);
                CHILD_CHECK(InForkedProcess([] {
                              int inherited = -1;
                              CHILD_CHECK(prctl(PR_GET_PDEATHSIG, &inherited) == 0);
                              CHILD_CHECK(inherited == 0);
                            }) == 0);
              }),
              ExitedWith(0));
}

TEST(Prctl, Dumpable) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
                CHILD_CHECK(prctl(PR_GET_DUMPABLE) == 0);
                CHILD_CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
                CHILD_CHECK(prctl(PR_GET_DUMPABLE) == 1);
                CHILD_CHECK_FAILS(prctl(PR_SET_DUMPABLE, 2), EINVAL);
              }),
              ExitedWith(0));
}

TEST(Prctl, NoNewPrivilegesIsOneWayAndInherited) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0);
                CHILD_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
                CHILD_CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
                CHILD_CHECK_FAILS(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
                CHILD_CHECK(InForkedProcess([] {
                              CHILD_CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
                            }) == 0);
              }),
              ExitedWith(0));
}

TEST(Prctl, SubreaperAdoptsOrphans) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
                const pid_t reaper = getpid();
                const pid_t middle = fork();
                if (middle == 0) {
                  const pid_t parent = getpid();
                  if (fork() == 0) {
                    while (getppid() == parent) sched_yield();
                    _exit(getppid() == reaper ? 31 : 32);
                  }
                  _exit(0);
                }
                CHILD_CHECK(WaitFor(middle) == 0);
                const int status = WaitFor(-1);
                CHILD_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 31);
              }),
              ExitedWith(0));
}

TEST(Prctl, UnknownOptionIsEinval) {
  EXPECT_THAT(prctl(123456, 0, 0, 0, 0), SyscallFailsWith(EINVAL));
}

TEST(ArchPrctl, FsBaseHoldsTheThreadPointer) {
  unsigned long base = 0;
  ASSERT_THAT(syscall(SYS_arch_prctl, ARCH_GET_FS, &base), SyscallSucceeds());
  unsigned long self;
  asm("movq %%fs:0, %0" : "=r"(self));
  EXPECT_EQ(base, self);
  EXPECT_THAT(syscall(SYS_arch_prctl, 0x9999, &base), SyscallFailsWith(EINVAL));
}

TEST(ArchPrctl, GsBaseIsTheProgramsOwn) {
  static unsigned long area[2] = {0, 0x1234567};
  EXPECT_THAT(InForkedProcess([] {
                unsigned long value = 0;
                CHILD_CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, area) == 0);
                asm volatile("movq %%gs:8, %0" : "=r"(value));
                CHILD_CHECK(value == 0x1234567);
                sched_yield();
                getppid();  // It outlives other system calls,
                asm volatile("movq %%gs:8, %0" : "=r"(value));
                CHILD_CHECK(value == 0x1234567);
                unsigned long base = 0;
                CHILD_CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) == 0);
                CHILD_CHECK(base == reinterpret_cast<unsigned long>(area));
                CHILD_CHECK(InForkedProcess([] {  // and fork.
                              unsigned long inherited = 0;
                              asm volatile("movq %%gs:8, %0" : "=r"(inherited));
                              CHILD_CHECK(inherited == 0x1234567);
                            }) == 0);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
