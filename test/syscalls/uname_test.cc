// SPDX-License-Identifier: Apache-2.0
//
// What the system says about itself: uname(2), sethostname(2), sysinfo(2), getcpu(2), getrandom(2).

#include <sched.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {
namespace {

TEST(Uname, IsALinuxThatProgramsAccept) {
  utsname name;
  ASSERT_THAT(uname(&name), SyscallSucceeds());
  EXPECT_STREQ(name.sysname, "Linux");
  EXPECT_STREQ(name.machine, "x86_64");
  EXPECT_NE(name.nodename[0], '\0');
  int major = 0;
  int minor = 0;
  ASSERT_EQ(sscanf(name.release, "%d.%d", &major, &minor), 2);
  EXPECT_GE(major, 4);
}

TEST(Sethostname, IsEpermForOthers) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(sethostname("x", 1), EPERM);
              }),
              ExitedWith(0));
}

TEST(Sysinfo, IsPlausible) {
  struct sysinfo info;
  ASSERT_THAT(sysinfo(&info), SyscallSucceeds());
  EXPECT_GT(info.totalram, 0u);
  EXPECT_LE(info.freeram, info.totalram);
  EXPECT_GT(info.mem_unit, 0u);
  EXPECT_GT(info.procs, 0u);
  EXPECT_GE(info.uptime, 0);
}

TEST(Getcpu, IsOneOfTheAllowed) {
  unsigned cpu = ~0u;
  unsigned node = ~0u;
  ASSERT_THAT(syscall(SYS_getcpu, &cpu, &node, nullptr), SyscallSucceeds());
  cpu_set_t allowed;
  ASSERT_THAT(sched_getaffinity(0, sizeof(allowed), &allowed), SyscallSucceeds());
  EXPECT_TRUE(CPU_ISSET(cpu, &allowed));
  EXPECT_GE(sched_getcpu(), 0);
}

TEST(Getrandom, GivesDifferentBytes) {
  unsigned char first[32] = {};
  unsigned char second[32] = {};
  ASSERT_THAT(getrandom(first, 32, 0), SyscallSucceedsWithValue(32));
  ASSERT_THAT(getrandom(second, 32, GRND_NONBLOCK), SyscallSucceedsWithValue(32));
  EXPECT_NE(memcmp(first, second, 32), 0);
  EXPECT_THAT(getrandom(first, 0, 0), SyscallSucceedsWithValue(0));
}

TEST(Getrandom, BadArguments) {
  char buffer[8];
  EXPECT_THAT(getrandom(buffer, 8, 0x100), SyscallFailsWith(EINVAL));
  EXPECT_THAT(getrandom(buffer, 8, GRND_RANDOM | GRND_INSECURE), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_getrandom, 8, 8, 0), SyscallFailsWith(EFAULT));
}

}  // namespace
}  // namespace redoubt::test
