// SPDX-License-Identifier: Apache-2.0
//
// User and group ids, and capabilities as far as changing ids touches them.

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/thread.h"

namespace redoubt::test {
namespace {

constexpr uid_t kUser = 1234;

bool UidsAre(uid_t real, uid_t effective, uid_t saved) {
  uid_t r, e, s;
  return getresuid(&r, &e, &s) == 0 && r == real && e == effective && s == saved;
}

// The effective capabilities of this process.
uint64_t EffectiveCapabilities() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return 0;
  return data[0].effective | uint64_t{data[1].effective} << 32;
}

// Most of it needs to start as root.
class IdsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

TEST(Ids, AllFormsAgree) {
  uid_t real, effective, saved;
  ASSERT_THAT(getresuid(&real, &effective, &saved), SyscallSucceeds());
  EXPECT_EQ(getuid(), real);
  EXPECT_EQ(geteuid(), effective);
  gid_t groups[3];
  ASSERT_THAT(getresgid(&groups[0], &groups[1], &groups[2]), SyscallSucceeds());
  EXPECT_EQ(getgid(), groups[0]);
  EXPECT_EQ(getegid(), groups[1]);
}

TEST_F(IdsTest, SetuidByRootSetsAllThree) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(setuid(kUser) == 0);
                CHILD_CHECK(UidsAre(kUser, kUser, kUser));
                CHILD_CHECK_FAILS(setuid(0), EPERM);
                CHILD_CHECK_FAILS(setresuid(-1, 0, -1), EPERM);
              }),
              ExitedWith(0));
}

TEST_F(IdsTest, EffectiveIdCanGoAndComeBack) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(seteuid(kUser) == 0);
                CHILD_CHECK(UidsAre(0, kUser, 0));
                CHILD_CHECK_FAILS(setresuid(5, 5, 5), EPERM);
                CHILD_CHECK(seteuid(0) == 0);
                CHILD_CHECK(UidsAre(0, 0, 0));
              }),
              ExitedWith(0));
}

TEST_F(IdsTest, SetreuidSetsTheSavedOneToo) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(setreuid(kUser, kUser + 1) == 0);
                CHILD_CHECK(UidsAre(kUser, kUser + 1, kUser + 1));
              }),
              ExitedWith(0));
}

TEST_F(IdsTest, CapabilitiesFollowTheEffectiveId) {
  EXPECT_THAT(InForkedProcess([] {
                const uint64_t before = EffectiveCapabilities();
                CHILD_CHECK(before != 0);
                CHILD_CHECK(seteuid(kUser) == 0);
                CHILD_CHECK(EffectiveCapabilities() == 0);
                CHILD_CHECK(seteuid(0) == 0);
                CHILD_CHECK(EffectiveCapabilities() == before);
                CHILD_CHECK(setuid(kUser) == 0);
                CHILD_CHECK(EffectiveCapabilities() == 0);
              }),
              ExitedWith(0));
}

TEST_F(IdsTest, GroupsAreSetAndGuarded) {
  EXPECT_THAT(InForkedProcess([] {
                const gid_t wanted[] = {7, 8, 9};
                gid_t groups[8];
                CHILD_CHECK(setgroups(3, wanted) == 0);
                CHILD_CHECK(getgroups(0, nullptr) == 3);
                CHILD_CHECK(getgroups(8, groups) == 3);
                CHILD_CHECK(groups[0] == 7 && groups[2] == 9);
                CHILD_CHECK_FAILS(getgroups(2, groups), EINVAL);
                CHILD_CHECK(setgid(kUser) == 0);
                CHILD_CHECK(setuid(kUser) == 0);
                CHILD_CHECK_FAILS(setgroups(0, nullptr), EPERM);
                CHILD_CHECK_FAILS(setgid(0), EPERM);
              }),
              ExitedWith(0));
}

TEST_F(IdsTest, FileSystemIdDecidesAboutFiles) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(setfsuid(kUser) == 0);
                CHILD_CHECK(setfsuid(-1) == static_cast<int>(kUser));
                CHILD_CHECK_FAILS(open("/etc/shadow", O_RDONLY), EACCES);
                CHILD_CHECK(geteuid() == 0);
              }),
              ExitedWith(0));
}

TEST_F(IdsTest, RawCallChangesOneThreadOnly) {
  TestThread thread([] {
    EXPECT_THAT(syscall(SYS_setresuid, -1, kUser, -1), SyscallSucceeds());
    EXPECT_EQ(syscall(SYS_geteuid), kUser);
  });
  thread.Join();
  EXPECT_EQ(geteuid(), 0u);
}

TEST(Capget, VersionIsNegotiated) {
  __user_cap_header_struct header = {.version = 0x1234, .pid = 0};
  __user_cap_data_struct data[2];
  EXPECT_THAT(syscall(SYS_capget, &header, data), SyscallFailsWith(EINVAL));
  EXPECT_EQ(header.version, static_cast<uint32_t>(_LINUX_CAPABILITY_VERSION_3));
}

}  // namespace
}  // namespace redoubt::test
