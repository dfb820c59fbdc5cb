// SPDX-License-Identifier: Apache-2.0
//
// rename(2), renameat2(2).

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

class RenameTest : public ::testing::Test {
 protected:
  int Rename(const std::string& from, const std::string& to, unsigned flags = 0) {
    if (flags == 0) return rename(dir_.Path(from).c_str(), dir_.Path(to).c_str());
    return renameat2(AT_FDCWD, dir_.Path(from).c_str(), AT_FDCWD, dir_.Path(to).c_str(), flags);
  }
  std::string Contents(const std::string& name) { return ReadFile(dir_.Path(name)); }
  bool Exists(const std::string& name) {
    struct stat st;
    return lstat(dir_.Path(name).c_str(), &st) == 0;
  }

  TempDir dir_;
};

TEST_F(RenameTest, MovesAFile) {
  dir_.File("a", "A");
  dir_.Dir("d");
  EXPECT_THAT(Rename("a", "d/b"), SyscallSucceeds());
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(Contents("d/b"), "A");
}

TEST_F(RenameTest, ReplacesAFile) {
  dir_.File("a", "A");
  dir_.File("b", "B");
  FileDescriptor old(open(dir_.Path("b").c_str(), O_RDONLY));
  EXPECT_THAT(Rename("a", "b"), SyscallSucceeds());
  EXPECT_EQ(Contents("b"), "A");
  char byte = 0;
  EXPECT_THAT(read(old.get(), &byte, 1), SyscallSucceedsWithValue(1));
  EXPECT_EQ(byte, 'B');  // The replaced file lives on for those who have it open.
}

TEST_F(RenameTest, OfTwoLinksToOneFileDoesNothing) {
  dir_.File("a", "A");
  ASSERT_THAT(link(dir_.Path("a").c_str(), dir_.Path("b").c_str()), SyscallSucceeds());
  EXPECT_THAT(Rename("a", "b"), SyscallSucceeds());
  EXPECT_TRUE(Exists("a"));
  EXPECT_TRUE(Exists("b"));
}

TEST_F(RenameTest, MissingSourceIsEnoent) {
  EXPECT_THAT(Rename("a", "b"), SyscallFailsWith(ENOENT));
  dir_.File("a");
  EXPECT_THAT(Rename("a", "no/b"), SyscallFailsWith(ENOENT));
}

TEST_F(RenameTest, KindsMustMatch) {
  dir_.File("f");
  dir_.Dir("d");
  EXPECT_THAT(Rename("f", "d"), SyscallFailsWith(EISDIR));
  EXPECT_THAT(Rename("d", "f"), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(Rename("f", "new/"), SyscallFailsWith(ENOTDIR));
}

TEST_F(RenameTest, DirectoryReplacesOnlyAnEmptyOne) {
  dir_.Dir("a");
  dir_.File("a/f", "A");
  dir_.Dir("empty");
  dir_.Dir("full");
  dir_.File("full/x");
  EXPECT_THAT(Rename("a", "full"), SyscallFailsWith(ENOTEMPTY));
  EXPECT_THAT(Rename("a", "empty"), SyscallSucceeds());
  EXPECT_EQ(Contents("empty/f"), "A");
}

TEST_F(RenameTest, IntoItselfIsEinval) {
  dir_.Dir("d");
  EXPECT_THAT(Rename("d", "d/e"), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Rename("d", "d"), SyscallSucceeds());
}

TEST_F(RenameTest, OntoItsParentIsEnotempty) {
  dir_.Dir("d");
  dir_.Dir("d/e");
  EXPECT_THAT(Rename("d/e", "d"), SyscallFailsWith(ENOTEMPTY));
}

TEST_F(RenameTest, DotsAreEbusy) {
  dir_.Dir("d");
  EXPECT_THAT(Rename("d/.", "e"), SyscallFailsWith(EBUSY));
  EXPECT_THAT(Rename("d/..", "e"), SyscallFailsWith(EBUSY));
  EXPECT_THAT(rename("/", "/redoubt_test_root"), SyscallFailsWith(EBUSY));
}

TEST_F(RenameTest, SymlinkItselfIsMoved) {
  dir_.File("f", "F");
  ASSERT_THAT(symlink("f", dir_.Path("s").c_str()), SyscallSucceeds());
  EXPECT_THAT(Rename("s", "t"), SyscallSucceeds());
  struct stat st;
  ASSERT_THAT(lstat(dir_.Path("t").c_str(), &st), SyscallSucceeds());
  EXPECT_TRUE(S_ISLNK(st.st_mode));
  EXPECT_EQ(Contents("t"), "F");
}

TEST_F(RenameTest, NoReplaceOnExistingIsEexist) {
  dir_.File("a", "A");
  dir_.File("b", "B");
  EXPECT_THAT(Rename("a", "b", RENAME_NOREPLACE), SyscallFailsWith(EEXIST));
  EXPECT_EQ(Contents("b"), "B");
  EXPECT_THAT(Rename("a", "c", RENAME_NOREPLACE), SyscallSucceeds());
  EXPECT_EQ(Contents("c"), "A");
}

TEST_F(RenameTest, ExchangeSwapsEvenDifferentKinds) {
  dir_.File("a", "A");
  dir_.Dir("d");
  dir_.File("d/x", "X");
  ASSERT_THAT(Rename("a", "d", RENAME_EXCHANGE), SyscallSucceeds());
  EXPECT_EQ(Contents("d"), "A");
  EXPECT_EQ(Contents("a/x"), "X");
  EXPECT_THAT(Rename("a", "missing", RENAME_EXCHANGE), SyscallFailsWith(ENOENT));
}

TEST_F(RenameTest, BadFlagsAreEinval) {
  dir_.File("a");
  EXPECT_THAT(Rename("a", "b", RENAME_NOREPLACE | RENAME_EXCHANGE), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Rename("a", "b", 0x100), SyscallFailsWith(EINVAL));
}

TEST_F(RenameTest, OpenDirectoryFollowsItsMove) {
  dir_.Dir("d");
  dir_.Dir("e");
  FileDescriptor dirfd(open(dir_.Path("d").c_str(), O_RDONLY));
  ASSERT_THAT(Rename("d", "e/f"), SyscallSucceeds());
  FileDescriptor made(openat(dirfd.get(), "x", O_CREAT | O_RDWR, 0600));
  EXPECT_TRUE(Exists("e/f/x"));
  struct stat parent;
  struct stat e;
  ASSERT_THAT(fstatat(dirfd.get(), "..", &parent, 0), SyscallSucceeds());
  ASSERT_THAT(stat(dir_.Path("e").c_str(), &e), SyscallSucceeds());
  EXPECT_EQ(parent.st_ino, e.st_ino);
}

}  // namespace
}  // namespace redoubt::test
