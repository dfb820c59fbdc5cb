// SPDX-License-Identifier: Apache-2.0
//
// getrlimit(2), setrlimit(2), prlimit(2), getrusage(2), times(2).

#include <sys/resource.h>
#include <sys/times.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

TEST(Rlimit, SoftMayMoveUpToHard) {
  EXPECT_THAT(InForkedProcess([] {
                rlimit limit = {.rlim_cur = 50, .rlim_max = 100};
                CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
                limit.rlim_cur = 100;
                CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
                limit.rlim_cur = 101;
                CHILD_CHECK_FAILS(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
                CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
                CHILD_CHECK(limit.rlim_cur == 100 && limit.rlim_max == 100);
              }),
              ExitedWith(0));
}

TEST(Rlimit, RaisingTheHardOneIsEpermForOthers) {
  EXPECT_THAT(InForkedProcess([] {
                rlimit limit = {.rlim_cur = 50, .rlim_max = 100};
                CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
                CHILD_CHECK(DropPrivileges());
                limit.rlim_max = 200;
                CHILD_CHECK_FAILS(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
              }),
              ExitedWith(0));
}

TEST(Rlimit, AllAreReadableAndUnknownIsEinval) {
  rlimit limit;
  for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
    EXPECT_THAT(getrlimit(static_cast<__rlimit_resource>(resource), &limit), SyscallSucceeds());
    EXPECT_LE(limit.rlim_cur, limit.rlim_max) << resource;
  }
  EXPECT_THAT(getrlimit(static_cast<__rlimit_resource>(RLIM_NLIMITS), &limit),
              SyscallFailsWith(EINVAL));
}

TEST(Rlimit, IsInherited) {
  EXPECT_THAT(InForkedProcess([] {
                const rlimit limit = {.rlim_cur = 1234, .rlim_max = 5678};
                CHILD_CHECK(setrlimit(RLIMIT_CORE, &limit) == 0);
                CHILD_CHECK(InForkedProcess([] {
                              rlimit inherited;
                              CHILD_CHECK(getrlimit(RLIMIT_CORE, &inherited) == 0);
                              CHILD_CHECK(inherited.rlim_cur == 1234);
                            }) == 0);
              }),
              ExitedWith(0));
}

TEST(Prlimit, ReadsAndSetsAnothersLimits) {
  ForkedChild child([] { pause(); });
  const rlimit limit = {.rlim_cur = 11, .rlim_max = 22};
  rlimit old;
  ASSERT_THAT(prlimit(child.pid(), RLIMIT_CORE, &limit, nullptr), SyscallSucceeds());
  ASSERT_THAT(prlimit(child.pid(), RLIMIT_CORE, nullptr, &old), SyscallSucceeds());
  EXPECT_EQ(old.rlim_cur, 11u);
  EXPECT_EQ(old.rlim_max, 22u);
  EXPECT_THAT(prlimit(0x7fff'fff0, RLIMIT_CORE, nullptr, &old), SyscallFailsWith(ESRCH));
}

TEST(Rlimit, CpuTimeIsSigxcpuThenSigkill) {
  EXPECT_THAT(InForkedProcess([] {
                const rlimit limit = {.rlim_cur = 1, .rlim_max = 2};
                CHILD_CHECK(setrlimit(RLIMIT_CPU, &limit) == 0);
                for (volatile bool on = true; on;) {
                }
              }),
              KilledBy(SIGXCPU));
}

TEST(Getrusage, CountsOwnAndChildrensTime) {
  EXPECT_THAT(InForkedProcess([] {
                auto burn = [] {
                  const nanoseconds start = Now(CLOCK_PROCESS_CPUTIME_ID);
                  while (Now(CLOCK_PROCESS_CPUTIME_ID) - start < milliseconds(30)) {
                  }
                };
                auto total = [](__rusage_who who) {
                  rusage usage;
                  CHILD_CHECK(getrusage(who, &usage) == 0);
                  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 +
                         usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
                };
                CHILD_CHECK(total(RUSAGE_CHILDREN) == 0);
                CHILD_CHECK(InForkedProcess(burn) == 0);
                CHILD_CHECK(total(RUSAGE_CHILDREN) >= 20'000);
                burn();
                CHILD_CHECK(total(RUSAGE_SELF) >= 20'000);
              }),
              ExitedWith(0));
  rusage usage;
  ASSERT_THAT(getrusage(RUSAGE_SELF, &usage), SyscallSucceeds());
  EXPECT_GT(usage.ru_maxrss, 0);
  EXPECT_THAT(getrusage(RUSAGE_THREAD, &usage), SyscallSucceeds());
  EXPECT_THAT(getrusage(static_cast<__rusage_who>(77), &usage), SyscallFailsWith(EINVAL));
}

TEST(Times, AreInTicks) {
  tms before;
  const clock_t start = times(&before);
  ASSERT_NE(start, -1);
  EXPECT_TRUE(PollUntil([&] {
    tms now;
    return times(&now) > start;
  }));
  EXPECT_EQ(sysconf(_SC_CLK_TCK), 100);
}

}  // namespace
}  // namespace redoubt::test
