// SPDX-License-Identifier: Apache-2.0
//
// Scheduling: sched_*(2), getpriority(2), setpriority(2).

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {
namespace {

TEST(Sched, YieldSucceeds) { EXPECT_THAT(sched_yield(), SyscallSucceeds()); }

TEST(Sched, AffinityNamesAtLeastOneCpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  ASSERT_THAT(sched_getaffinity(0, sizeof(set), &set), SyscallSucceeds());
  EXPECT_GE(CPU_COUNT(&set), 1);
  EXPECT_EQ(sysconf(_SC_NPROCESSORS_ONLN) >= CPU_COUNT(&set), true);
  // The raw call returns the size of the kernel's mask and refuses a smaller one.
  EXPECT_THAT(syscall(SYS_sched_getaffinity, 0, sizeof(set), &set),
              SyscallSucceedsWithValue(::testing::Ge(8)));
  EXPECT_THAT(syscall(SYS_sched_getaffinity, 0, 1, &set), SyscallFailsWith(EINVAL));
  EXPECT_THAT(sched_getaffinity(0x7fff'fff0, sizeof(set), &set), SyscallFailsWith(ESRCH));
}

TEST(Sched, AffinityCanBeNarrowedAndIsInherited) {
  EXPECT_THAT(InForkedProcess([] {
                cpu_set_t all, one;
                CHILD_CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
                int first = 0;
                while (!CPU_ISSET(first, &all)) first++;
                CPU_ZERO(&one);
                CPU_SET(first, &one);
                CHILD_CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
                CHILD_CHECK(InForkedProcess([&] {
                              cpu_set_t now;
                              CHILD_CHECK(sched_getaffinity(0, sizeof(now), &now) == 0);
                              CHILD_CHECK(CPU_EQUAL(&now, &one));
                            }) == 0);
                CPU_ZERO(&one);
                CHILD_CHECK_FAILS(sched_setaffinity(0, sizeof(one), &one), EINVAL);
              }),
              ExitedWith(0));
}

TEST(Sched, PolicyIsOtherAndPrioritiesHaveTheirRange) {
  EXPECT_THAT(sched_getscheduler(0), SyscallSucceedsWithValue(SCHED_OTHER));
  EXPECT_THAT(sched_getscheduler(-1), SyscallFailsWith(EINVAL));
  sched_param param = {.sched_priority = 77};
  ASSERT_THAT(sched_getparam(0, &param), SyscallSucceeds());
  EXPECT_EQ(param.sched_priority, 0);
  EXPECT_THAT(sched_get_priority_max(SCHED_FIFO), SyscallSucceedsWithValue(99));
  EXPECT_THAT(sched_get_priority_min(SCHED_OTHER), SyscallSucceedsWithValue(0));
  EXPECT_THAT(sched_get_priority_max(99), SyscallFailsWith(EINVAL));
}

TEST(Sched, BadParametersAreEinval) {
  const sched_param one = {.sched_priority = 1};
  const sched_param zero = {.sched_priority = 0};
  EXPECT_THAT(sched_setscheduler(0, SCHED_OTHER, &one), SyscallFailsWith(EINVAL));
  EXPECT_THAT(sched_setscheduler(0, 99, &zero), SyscallFailsWith(EINVAL));
  EXPECT_THAT(sched_setscheduler(0, SCHED_OTHER, &zero), SyscallSucceeds());
}

TEST(Priority, CanBeLoweredAndIsInherited) {
  EXPECT_THAT(InForkedProcess([] {
                errno = 0;
                const int before = getpriority(PRIO_PROCESS, 0);
                CHILD_CHECK(errno == 0);
                const int lower = before < 18 ? before + 1 : 19;
                CHILD_CHECK(setpriority(PRIO_PROCESS, 0, lower) == 0);
                CHILD_CHECK(getpriority(PRIO_PROCESS, 0) == lower);
                CHILD_CHECK(InForkedProcess([lower] {
                              CHILD_CHECK(getpriority(PRIO_PROCESS, 0) == lower);
                            }) == 0);
                CHILD_CHECK(setpriority(PRIO_PROCESS, 0, 100) == 0);  // Clamped.
                CHILD_CHECK(getpriority(PRIO_PROCESS, 0) == 19);
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(setpriority(PRIO_PROCESS, 0, 0), EACCES);
              }),
              ExitedWith(0));
}

TEST(Priority, BadArguments) {
  EXPECT_THAT(syscall(SYS_getpriority, 9, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_getpriority, PRIO_PROCESS, 0x7fff'fff0), SyscallFailsWith(ESRCH));
  // The raw call answers 20 - nice, so that it is never negative.
  EXPECT_THAT(syscall(SYS_getpriority, PRIO_PROCESS, 0),
              SyscallSucceedsWithValue(20 - getpriority(PRIO_PROCESS, 0)));
}

}  // namespace
}  // namespace redoubt::test
