// SPDX-License-Identifier: Apache-2.0
//
// chown(2) and relatives. Changing an owner needs root.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class ChownTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }

  struct stat Stat(const std::string& name) {
    struct stat st = {};
    EXPECT_THAT(lstat(dir_.Path(name).c_str(), &st), SyscallSucceeds());
    return st;
  }

  TempDir dir_;
};

TEST_F(ChownTest, ChangesOwnerAndGroup) {
  const std::string path = dir_.File("a");
  ASSERT_THAT(chown(path.c_str(), 12, 34), SyscallSucceeds());
  EXPECT_EQ(Stat("a").st_uid, 12u);
  EXPECT_EQ(Stat("a").st_gid, 34u);
}

TEST_F(ChownTest, MinusOneLeavesAsIs) {
  const std::string path = dir_.File("a");
  ASSERT_THAT(chown(path.c_str(), 12, 34), SyscallSucceeds());
  ASSERT_THAT(chown(path.c_str(), -1, 56), SyscallSucceeds());
  EXPECT_EQ(Stat("a").st_uid, 12u);
  EXPECT_EQ(Stat("a").st_gid, 56u);
}

TEST_F(ChownTest, LchownChangesTheSymlink) {
  dir_.File("a");
  ASSERT_THAT(symlink("a", dir_.Path("s").c_str()), SyscallSucceeds());
  ASSERT_THAT(lchown(dir_.Path("s").c_str(), 12, 34), SyscallSucceeds());
  EXPECT_EQ(Stat("s").st_uid, 12u);
  EXPECT_EQ(Stat("a").st_uid, 0u);
}

TEST_F(ChownTest, ClearsSetUserIdOfAnExecutable) {
  const std::string path = dir_.File("a", "", 06755);
  ASSERT_THAT(chown(path.c_str(), 12, 34), SyscallSucceeds());
  EXPECT_EQ(Stat("a").st_mode & 07777, 0755u);
}

TEST_F(ChownTest, ByOthersIsEperm) {
  dir_.File("a", "", 0666);
  FileDescriptor file(open(dir_.Path("a").c_str(), O_RDWR));
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(fchown(file.get(), 65534, -1), EPERM);
              }),
              ExitedWith(0));
}

TEST_F(ChownTest, NewFileBelongsToItsMaker) {
  ASSERT_THAT(chmod(dir_.c_str(), 0777), SyscallSucceeds());
  FileDescriptor dirfd(open(dir_.c_str(), O_RDONLY));
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK(openat(dirfd.get(), "a", O_CREAT | O_RDWR, 0600) >= 0);
              }),
              ExitedWith(0));
  EXPECT_EQ(Stat("a").st_uid, 65534u);
}

}  // namespace
}  // namespace redoubt::test
