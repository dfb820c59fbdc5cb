// SPDX-License-Identifier: Apache-2.0
//
// link(2), linkat(2).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class LinkTest : public ::testing::Test {
 protected:
  int Link(const std::string& from, const std::string& to) {
    return link(dir_.Path(from).c_str(), dir_.Path(to).c_str());
  }

  TempDir dir_;
};

TEST_F(LinkTest, TwoNamesForOneFile) {
  dir_.File("a", "A");
  ASSERT_THAT(Link("a", "b"), SyscallSucceeds());
  struct stat a;
  struct stat b;
  ASSERT_THAT(stat(dir_.Path("a").c_str(), &a), SyscallSucceeds());
  ASSERT_THAT(stat(dir_.Path("b").c_str(), &b), SyscallSucceeds());
  EXPECT_EQ(a.st_ino, b.st_ino);
  EXPECT_EQ(a.st_nlink, 2u);
  WriteFile(dir_.Path("b"), "new");
  EXPECT_EQ(ReadFile(dir_.Path("a")), "new");
  ASSERT_THAT(unlink(dir_.Path("a").c_str()), SyscallSucceeds());
  ASSERT_THAT(stat(dir_.Path("b").c_str(), &b), SyscallSucceeds());
  EXPECT_EQ(b.st_nlink, 1u);
}

TEST_F(LinkTest, ErrorsOfTheNames) {
  dir_.File("a");
  dir_.File("b");
  EXPECT_THAT(Link("a", "b"), SyscallFailsWith(EEXIST));
  EXPECT_THAT(Link("no", "c"), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Link("a", "no/c"), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Link("a", "b/c"), SyscallFailsWith(ENOTDIR));
}

TEST_F(LinkTest, DirectoriesAreEperm) {
  dir_.Dir("d");
  EXPECT_THAT(Link("d", "e"), SyscallFailsWith(EPERM));
}

TEST_F(LinkTest, SymlinkIsLinkedNotItsTarget) {
  ASSERT_THAT(symlink("nowhere", dir_.Path("s").c_str()), SyscallSucceeds());
  ASSERT_THAT(Link("s", "t"), SyscallSucceeds());
  struct stat st;
  ASSERT_THAT(lstat(dir_.Path("t").c_str(), &st), SyscallSucceeds());
  EXPECT_TRUE(S_ISLNK(st.st_mode));
}

TEST_F(LinkTest, LinkatFollowsWhenAsked) {
  dir_.File("a", "A");
  ASSERT_THAT(symlink("a", dir_.Path("s").c_str()), SyscallSucceeds());
  FileDescriptor dirfd(open(dir_.c_str(), O_RDONLY));
  ASSERT_THAT(linkat(dirfd.get(), "s", dirfd.get(), "t", AT_SYMLINK_FOLLOW), SyscallSucceeds());
  struct stat st;
  ASSERT_THAT(lstat(dir_.Path("t").c_str(), &st), SyscallSucceeds());
  EXPECT_TRUE(S_ISREG(st.st_mode));
  EXPECT_THAT(linkat(dirfd.get(), "a", dirfd.get(), "u", 0x4000'0000), SyscallFailsWith(EINVAL));
}

}  // namespace
}  // namespace redoubt::test
