// SPDX-License-Identifier: Apache-2.0
//
// open(2), openat(2), creat(2): flags, and which errno wins. openat2(2) is in openat2_test.cc.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"

namespace redoubt::test {
namespace {

using ::testing::AnyOf;

class OpenTest : public ::testing::Test {
 protected:
  int Open(const std::string& name, int flags, mode_t mode = 0644) {
    last_.reset(open(dir_.Path(name).c_str(), flags, mode));
    return last_.get();
  }

  TempDir dir_;
  FileDescriptor last_;
};

TEST_F(OpenTest, CreatesWithModeLessUmask) {
  const mode_t old = umask(027);
  ASSERT_THAT(Open("a", O_CREAT | O_WRONLY, 0666), SyscallSucceeds());
  umask(old);
  struct stat st;
  ASSERT_THAT(fstat(last_.get(), &st), SyscallSucceeds());
  EXPECT_EQ(st.st_mode, static_cast<mode_t>(S_IFREG | 0640));
}

TEST_F(OpenTest, CreatedReadOnlyFileIsStillWritableThroughItsDescriptor) {
  ASSERT_THAT(Open("a", O_CREAT | O_RDWR, 0400), SyscallSucceeds());
  EXPECT_THAT(write(last_.get(), "x", 1), SyscallSucceedsWithValue(1));
}

TEST_F(OpenTest, ExclusiveOnExistingIsEexist) {
  dir_.File("a");
  EXPECT_THAT(Open("a", O_CREAT | O_EXCL | O_RDWR), SyscallFailsWith(EEXIST));
}

TEST_F(OpenTest, ExclusiveOnDanglingSymlinkIsEexist) {
  ASSERT_THAT(symlink("nowhere", dir_.Path("s").c_str()), SyscallSucceeds());
  EXPECT_THAT(Open("s", O_CREAT | O_EXCL | O_RDWR), SyscallFailsWith(EEXIST));
}

TEST_F(OpenTest, CreateThroughDanglingSymlinkMakesTheTarget) {
  ASSERT_THAT(symlink("target", dir_.Path("s").c_str()), SyscallSucceeds());
  ASSERT_THAT(Open("s", O_CREAT | O_RDWR), SyscallSucceeds());
  EXPECT_THAT(access(dir_.Path("target").c_str(), F_OK), SyscallSucceeds());
}

TEST_F(OpenTest, MissingIsEnoent) {
  EXPECT_THAT(Open("a", O_RDONLY), SyscallFailsWith(ENOENT));
  EXPECT_THAT(Open("no/a", O_CREAT | O_RDWR), SyscallFailsWith(ENOENT));
  EXPECT_THAT(open("", O_RDONLY), SyscallFailsWith(ENOENT));
}

TEST_F(OpenTest, FileAsParentIsEnotdir) {
  dir_.File("a");
  EXPECT_THAT(Open("a/b", O_RDONLY), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(Open("a/", O_RDONLY), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(Open("a/..", O_RDONLY), SyscallFailsWith(ENOTDIR));
}

TEST_F(OpenTest, DirectoryFlagOnFileIsEnotdir) {
  dir_.File("a");
  EXPECT_THAT(Open("a", O_RDONLY | O_DIRECTORY), SyscallFailsWith(ENOTDIR));
}

TEST_F(OpenTest, WritingADirectoryIsEisdir) {
  EXPECT_THAT(Open(".", O_WRONLY), SyscallFailsWith(EISDIR));
  EXPECT_THAT(Open(".", O_RDWR), SyscallFailsWith(EISDIR));
  EXPECT_THAT(Open(".", O_RDONLY | O_CREAT), SyscallFailsWith(EISDIR));
  EXPECT_THAT(Open(".", O_RDONLY | O_TRUNC), SyscallFailsWith(EISDIR));
  EXPECT_THAT(Open("new/", O_RDWR | O_CREAT), SyscallFailsWith(EISDIR));
}

TEST_F(OpenTest, NoFollowOnSymlinkIsEloop) {
  dir_.File("a");
  ASSERT_THAT(symlink("a", dir_.Path("s").c_str()), SyscallSucceeds());
  EXPECT_THAT(Open("s", O_RDONLY | O_NOFOLLOW), SyscallFailsWith(ELOOP));
  EXPECT_THAT(Open("s", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), SyscallFailsWith(ENOTDIR));
}

TEST_F(OpenTest, NoFollowOnlyConcernsTheLastComponent) {
  dir_.File("a");
  ASSERT_THAT(symlink(".", dir_.Path("here").c_str()), SyscallSucceeds());
  EXPECT_THAT(Open("here/a", O_RDONLY | O_NOFOLLOW), SyscallSucceeds());
}

TEST_F(OpenTest, SymlinkLoopIsEloop) {
  ASSERT_THAT(symlink("b", dir_.Path("a").c_str()), SyscallSucceeds());
  ASSERT_THAT(symlink("a", dir_.Path("b").c_str()), SyscallSucceeds());
  EXPECT_THAT(Open("a", O_RDONLY), SyscallFailsWith(ELOOP));
}

TEST_F(OpenTest, FortySymlinksAreFollowedAndNotMore) {
  dir_.File("l0");
  for (int i = 1; i <= 41; i++) {
    const std::string name = dir_.Path("l" + std::to_string(i));
    ASSERT_THAT(symlink(("l" + std::to_string(i - 1)).c_str(), name.c_str()), SyscallSucceeds());
  }
  EXPECT_THAT(Open("l40", O_RDONLY), SyscallSucceeds());
  EXPECT_THAT(Open("l41", O_RDONLY), SyscallFailsWith(ELOOP));
}

TEST_F(OpenTest, LongNamesAreEnametoolong) {
  EXPECT_THAT(Open(std::string(256, 'a'), O_RDONLY), SyscallFailsWith(ENAMETOOLONG));
  EXPECT_THAT(Open(std::string(255, 'a'), O_RDONLY), SyscallFailsWith(ENOENT));
  std::string path;
  while (path.size() < 4096) path += "./";
  EXPECT_THAT(open(path.c_str(), O_RDONLY), SyscallFailsWith(ENAMETOOLONG));
  path.resize(4095);
  path = path.substr(0, 4094) + ".";
  last_.reset(open(path.c_str(), O_PATH));
  EXPECT_TRUE(last_.valid());
}

TEST_F(OpenTest, TruncateEmptiesTheFile) {
  dir_.File("a", "contents");
  ASSERT_THAT(Open("a", O_WRONLY | O_TRUNC), SyscallSucceeds());
  EXPECT_EQ(ReadFile(dir_.Path("a")), "");
}

TEST_F(OpenTest, AppendWritesAtTheEnd) {
  dir_.File("a", "one");
  ASSERT_THAT(Open("a", O_WRONLY | O_APPEND), SyscallSucceeds());
  ASSERT_THAT(lseek(last_.get(), 0, SEEK_SET), SyscallSucceedsWithValue(0));
  ASSERT_THAT(write(last_.get(), "two", 3), SyscallSucceedsWithValue(3));
  EXPECT_THAT(lseek(last_.get(), 0, SEEK_CUR), SyscallSucceedsWithValue(6));
  EXPECT_EQ(ReadFile(dir_.Path("a")), "onetwo");
}

TEST_F(OpenTest, AccessModeIsEnforced) {
  dir_.File("a", "x");
  char byte;
  ASSERT_THAT(Open("a", O_RDONLY), SyscallSucceeds());
  EXPECT_THAT(write(last_.get(), "x", 1), SyscallFailsWith(EBADF));
  ASSERT_THAT(Open("a", O_WRONLY), SyscallSucceeds());
  EXPECT_THAT(read(last_.get(), &byte, 1), SyscallFailsWith(EBADF));
}

TEST_F(OpenTest, LowestFreeDescriptorIsUsed) {
  const int first = dup(0);
  const int second = dup(0);
  ASSERT_GT(second, first);
  close(first);
  EXPECT_EQ(open(dir_.c_str(), O_RDONLY), first);
  close(first);
  close(second);
}

TEST_F(OpenTest, CloseOnExecFlagIsSet) {
  ASSERT_THAT(Open(".", O_RDONLY | O_CLOEXEC), SyscallSucceeds());
  EXPECT_THAT(fcntl(last_.get(), F_GETFD), SyscallSucceedsWithValue(FD_CLOEXEC));
  ASSERT_THAT(Open(".", O_RDONLY), SyscallSucceeds());
  EXPECT_THAT(fcntl(last_.get(), F_GETFD), SyscallSucceedsWithValue(0));
}

TEST_F(OpenTest, PathDescriptorCanBeStattedButNotRead) {
  dir_.File("a", "x");
  ASSERT_THAT(Open("a", O_PATH), SyscallSucceeds());
  char byte;
  struct stat st;
  EXPECT_THAT(read(last_.get(), &byte, 1), SyscallFailsWith(EBADF));
  EXPECT_THAT(fchmod(last_.get(), 0600), SyscallFailsWith(EBADF));
  ASSERT_THAT(fstat(last_.get(), &st), SyscallSucceeds());
  EXPECT_EQ(st.st_size, 1);
  EXPECT_THAT(fcntl(last_.get(), F_GETFL), SyscallSucceedsWithValue(O_PATH));
}

TEST_F(OpenTest, PathDescriptorOfASymlinkItself) {
  ASSERT_THAT(symlink("nowhere", dir_.Path("s").c_str()), SyscallSucceeds());
  ASSERT_THAT(Open("s", O_PATH | O_NOFOLLOW), SyscallSucceeds());
  char target[16];
  EXPECT_THAT(readlinkat(last_.get(), "", target, sizeof(target)), SyscallSucceedsWithValue(7));
}

TEST_F(OpenTest, UnnamedTemporaryFileCanBeGivenAName) {
  const int fd = Open(".", O_TMPFILE | O_RDWR, 0600);
  if (fd < 0) {
    // Not every file system has it; then it must say so.
    EXPECT_THAT(fd, SyscallFailsWith(AnyOf(EOPNOTSUPP, EISDIR)));
    GTEST_SKIP() << "no O_TMPFILE here";
  }
  ASSERT_THAT(write(fd, "abc", 3), SyscallSucceedsWithValue(3));
  struct stat st;
  ASSERT_THAT(fstat(fd, &st), SyscallSucceeds());
  EXPECT_EQ(st.st_nlink, 0u);
  const std::string self = "/proc/self/fd/" + std::to_string(fd);
  ASSERT_THAT(linkat(AT_FDCWD, self.c_str(), AT_FDCWD, dir_.Path("a").c_str(), AT_SYMLINK_FOLLOW),
              SyscallSucceeds());
  EXPECT_EQ(ReadFile(dir_.Path("a")), "abc");
}

TEST_F(OpenTest, CreatTruncatesAndIsWriteOnly) {
  dir_.File("a", "contents");
  FileDescriptor fd(creat(dir_.Path("a").c_str(), 0644));
  ASSERT_TRUE(fd.valid());
  EXPECT_THAT(fcntl(fd.get(), F_GETFL),
              SyscallSucceedsWithValue(
                  ::testing::ResultOf([](int flags) { return flags & O_ACCMODE; }, O_WRONLY)));
  EXPECT_EQ(ReadFile(dir_.Path("a")), "");
}

TEST_F(OpenTest, OpenatIsRelativeToItsDirectory) {
  dir_.File("a", "x");
  FileDescriptor dirfd(open(dir_.c_str(), O_RDONLY | O_DIRECTORY));
  FileDescriptor fd(openat(dirfd.get(), "a", O_RDONLY));
  EXPECT_TRUE(fd.valid());
  // An absolute path does not look at the descriptor at all.
  FileDescriptor absolute(openat(-5, dir_.Path("a").c_str(), O_RDONLY));
  EXPECT_TRUE(absolute.valid());
}

TEST_F(OpenTest, OpenatWithABadDirectory) {
  FileDescriptor file(open(dir_.File("a").c_str(), O_RDONLY));
  EXPECT_THAT(openat(-5, "a", O_RDONLY), SyscallFailsWith(EBADF));
  EXPECT_THAT(openat(file.get(), "a", O_RDONLY), SyscallFailsWith(ENOTDIR));
}

TEST_F(OpenTest, PermissionsAreChecked) {
  dir_.File("secret", "x", 0000);
  dir_.File("readable", "x", 0444);
  dir_.Dir("closed", 0700);
  dir_.File("closed/a", "x", 0666);
  FileDescriptor dirfd(open(dir_.c_str(), O_RDONLY | O_DIRECTORY));
  if (geteuid() != 0) GTEST_SKIP() << "needs another user";
  EXPECT_THAT(InForkedProcess([&] {
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(openat(dirfd.get(), "secret", O_RDONLY), EACCES);
                CHILD_CHECK_FAILS(openat(dirfd.get(), "readable", O_RDWR), EACCES);
                CHILD_CHECK(openat(dirfd.get(), "readable", O_RDONLY) >= 0);
                CHILD_CHECK_FAILS(openat(dirfd.get(), "closed/a", O_RDONLY), EACCES);
                CHILD_CHECK_FAILS(openat(dirfd.get(), "new", O_CREAT | O_RDWR, 0600), EACCES);
              }),
              ExitedWith(0));
}

TEST_F(OpenTest, DescriptorLimitIsEmfile) {
  EXPECT_THAT(InForkedProcess([&] {
                const rlimit limit = {.rlim_cur = 20, .rlim_max = 20};
                CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
                int fd;
                while ((fd = open(dir_.c_str(), O_RDONLY)) >= 0) CHILD_CHECK(fd < 20);
                CHILD_CHECK(errno == EMFILE);
                CHILD_CHECK_FAILS(dup(0), EMFILE);
              }),
              ExitedWith(0));
}

TEST_F(OpenTest, CloseTwiceIsEbadf) {
  const int fd = open(dir_.c_str(), O_RDONLY);
  EXPECT_THAT(close(fd), SyscallSucceeds());
  EXPECT_THAT(close(fd), SyscallFailsWith(EBADF));
}

}  // namespace
}  // namespace redoubt::test
