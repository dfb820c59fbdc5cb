// SPDX-License-Identifier: Apache-2.0
//
// mkdir(2) and rmdir(2).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class MkdirTest : public ::testing::Test {
 protected:
  int Mkdir(const std::string& name, mode_t mode = 0755) {
    return mkdir(dir_.Path(name).c_str(), mode);
  }
  int Rmdir(const std::string& name) { return rmdir(dir_.Path(name).c_str()); }

  TempDir dir_;
};

TEST_F(MkdirTest, ModeLessUmask) {
  const mode_t old = umask(022);
  ASSERT_THAT(Mkdir("d", 0777), SyscallSucceeds());
  ASSERT_THAT(Mkdir("slash/", 01777), SyscallSucceeds());
  umask(old);
  struct stat st;
  ASSERT_THAT(stat(dir_.Path("d").c_str(), &st), SyscallSucceeds());
  EXPECT_EQ(st.st_mode, static_cast<mode_t>(S_IFDIR | 0755));
  ASSERT_THAT(stat(dir_.Path("slash").c_str(), &st), SyscallSucceeds());
  EXPECT_EQ(st.st_mode & 07777, 01755u);
}

TEST_F(MkdirTest, ExistingNameIsEexist) {
  dir_.File("f");
  ASSERT_THAT(symlink("nowhere", dir_.Path("s").c_str()), SyscallSucceeds());
  EXPECT_THAT(Mkdir("f"), SyscallFailsWith(EEXIST));
  EXPECT_THAT(Mkdir("s"), SyscallFailsWith(EEXIST));
  EXPECT_THAT(Mkdir("."), SyscallFailsWith(EEXIST));
  EXPECT_THAT(mkdir("/", 0755), SyscallFailsWith(EEXIST));
}

TEST_F(MkdirTest, BadParents) {
  dir_.File("f");
  EXPECT_THAT(Mkdir("no/d"), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Mkdir("f/d"), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(mkdir("", 0755), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Mkdir(std::string(256, 'x')), SyscallFailsWith(ENAMETOOLONG));
}

TEST_F(MkdirTest, LinksOfTheParentAreCounted) {
  struct stat before;
  struct stat after;
  ASSERT_THAT(stat(dir_.c_str(), &before), SyscallSucceeds());
  if (before.st_nlink < 2) GTEST_SKIP() << "a file system that does not count (btrfs)";
  ASSERT_THAT(Mkdir("d"), SyscallSucceeds());
  ASSERT_THAT(stat(dir_.c_str(), &after), SyscallSucceeds());
  EXPECT_EQ(after.st_nlink, before.st_nlink + 1);
  ASSERT_THAT(Rmdir("d"), SyscallSucceeds());
  ASSERT_THAT(stat(dir_.c_str(), &after), SyscallSucceeds());
  EXPECT_EQ(after.st_nlink, before.st_nlink);
}

TEST_F(MkdirTest, SetGroupIdBitIsInherited) {
  dir_.Dir("g");
  ASSERT_THAT(chmod(dir_.Path("g").c_str(), 02755), SyscallSucceeds());
  ASSERT_THAT(Mkdir("g/d", 0755), SyscallSucceeds());
  struct stat st;
  ASSERT_THAT(stat(dir_.Path("g/d").c_str(), &st), SyscallSucceeds());
  EXPECT_EQ(st.st_mode & 07777, 02755u);
}

TEST_F(MkdirTest, MkdiratIsRelative) {
  FileDescriptor dirfd(open(dir_.c_str(), O_RDONLY));
  EXPECT_THAT(mkdirat(dirfd.get(), "d", 0755), SyscallSucceeds());
  EXPECT_THAT(unlinkat(dirfd.get(), "d", AT_REMOVEDIR), SyscallSucceeds());
  EXPECT_THAT(mkdirat(-1, "d", 0755), SyscallFailsWith(EBADF));
}

TEST_F(MkdirTest, RmdirOfANonEmptyDirectoryIsEnotempty) {
  dir_.Dir("d");
  dir_.File("d/f");
  EXPECT_THAT(Rmdir("d"), SyscallFailsWith(ENOTEMPTY));
  ASSERT_THAT(unlink(dir_.Path("d/f").c_str()), SyscallSucceeds());
  EXPECT_THAT(Rmdir("d"), SyscallSucceeds());
  EXPECT_THAT(Rmdir("d"), SyscallFailsWith(ENOENT));
}

TEST_F(MkdirTest, RmdirOfOtherThings) {
  dir_.File("f");
  dir_.Dir("d");
  ASSERT_THAT(symlink("d", dir_.Path("s").c_str()), SyscallSucceeds());
  EXPECT_THAT(Rmdir("f"), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(Rmdir("s"), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(Rmdir("d/."), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Rmdir("d/.."), SyscallFailsWith(ENOTEMPTY));
  EXPECT_THAT(rmdir("/"), SyscallFailsWith(EBUSY));
}

TEST_F(MkdirTest, RemovedDirectoryStaysUsableButEmpty) {
  dir_.Dir("d");
  FileDescriptor dirfd(open(dir_.Path("d").c_str(), O_RDONLY));
  ASSERT_THAT(Rmdir("d"), SyscallSucceeds());
  struct stat st;
  ASSERT_THAT(fstat(dirfd.get(), &st), SyscallSucceeds());
  EXPECT_EQ(st.st_nlink, 0u);
  EXPECT_THAT(openat(dirfd.get(), "f", O_CREAT | O_RDWR, 0600), SyscallFailsWith(ENOENT));
  EXPECT_THAT(mkdirat(dirfd.get(), "d", 0700), SyscallFailsWith(ENOENT));
}

TEST_F(MkdirTest, StickyDirectoryGuardsTheFilesOfOthers) {
  if (geteuid() != 0) GTEST_SKIP() << "needs another user";
  dir_.Dir("t");
  ASSERT_THAT(chmod(dir_.Path("t").c_str(), 01777), SyscallSucceeds());
  dir_.File("t/f");
  FileDescriptor dirfd(open(dir_.Path("t").c_str(), O_RDONLY));
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(unlinkat(dirfd.get(), "f", 0), EPERM);
                CHILD_CHECK(mkdirat(dirfd.get(), "own", 0700) == 0);
                CHILD_CHECK(unlinkat(dirfd.get(), "own", AT_REMOVEDIR) == 0);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
