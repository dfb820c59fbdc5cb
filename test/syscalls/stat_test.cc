// SPDX-License-Identifier: Apache-2.0
//
// stat(2), lstat(2), fstat(2), fstatat(2). statx(2) is in statx_test.cc.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

class StatTest : public ::testing::Test {
 protected:
  StatTest() : path_(dir_.File("a", "0123456789", 0640)) {}

  TempDir dir_;
  const std::string path_;
  struct stat st_ = {};
};

TEST_F(StatTest, TellsAboutARegularFile) {
  ASSERT_THAT(stat(path_.c_str(), &st_), SyscallSucceeds());
  EXPECT_EQ(st_.st_mode, static_cast<mode_t>(S_IFREG | 0640));
  EXPECT_EQ(st_.st_size, 10);
  EXPECT_EQ(st_.st_nlink, 1u);
  EXPECT_EQ(st_.st_uid, geteuid());
  EXPECT_GT(st_.st_ino, 0u);
  EXPECT_GT(st_.st_blksize, 0);
}

TEST_F(StatTest, AllFormsAgree) {
  struct stat by_fd;
  struct stat by_dir;
  FileDescriptor file(open(path_.c_str(), O_RDONLY));
  FileDescriptor dir(open(dir_.c_str(), O_RDONLY));
  ASSERT_THAT(stat(path_.c_str(), &st_), SyscallSucceeds());
  ASSERT_THAT(fstat(file.get(), &by_fd), SyscallSucceeds());
  ASSERT_THAT(fstatat(dir.get(), "a", &by_dir, 0), SyscallSucceeds());
  EXPECT_EQ(st_.st_ino, by_fd.st_ino);
  EXPECT_EQ(st_.st_dev, by_fd.st_dev);
  EXPECT_EQ(st_.st_ino, by_dir.st_ino);
}

TEST_F(StatTest, SymlinkIsFollowedUnlessAskedNotTo) {
  const std::string link = dir_.Path("s");
  ASSERT_THAT(symlink("a", link.c_str()), SyscallSucceeds());
  ASSERT_THAT(stat(link.c_str(), &st_), SyscallSucceeds());
  EXPECT_TRUE(S_ISREG(st_.st_mode));
  ASSERT_THAT(lstat(link.c_str(), &st_), SyscallSucceeds());
  EXPECT_EQ(st_.st_mode, static_cast<mode_t>(S_IFLNK | 0777));
  EXPECT_EQ(st_.st_size, 1);  // The length of its text.
  ASSERT_THAT(fstatat(AT_FDCWD, link.c_str(), &st_, AT_SYMLINK_NOFOLLOW), SyscallSucceeds());
  EXPECT_TRUE(S_ISLNK(st_.st_mode));
}

TEST_F(StatTest, DanglingSymlink) {
  const std::string link = dir_.Path("s");
  ASSERT_THAT(symlink("nowhere", link.c_str()), SyscallSucceeds());
  EXPECT_THAT(stat(link.c_str(), &st_), SyscallFailsWith(ENOENT));
  EXPECT_THAT(lstat(link.c_str(), &st_), SyscallSucceeds());
}

TEST_F(StatTest, ErrorsOfThePath) {
  EXPECT_THAT(stat("", &st_), SyscallFailsWith(ENOENT));
  EXPECT_THAT(stat(dir_.Path("no").c_str(), &st_), SyscallFailsWith(ENOENT));
  EXPECT_THAT(stat((path_ + "/b").c_str(), &st_), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(stat((path_ + "/").c_str(), &st_), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(stat((dir_.path() + "///.//a").c_str(), &st_), SyscallSucceeds());
}

TEST_F(StatTest, EmptyPathNeedsItsFlag) {
  FileDescriptor file(open(path_.c_str(), O_RDONLY));
  EXPECT_THAT(fstatat(file.get(), "", &st_, 0), SyscallFailsWith(ENOENT));
  ASSERT_THAT(fstatat(file.get(), "", &st_, AT_EMPTY_PATH), SyscallSucceeds());
  EXPECT_EQ(st_.st_size, 10);
}

TEST_F(StatTest, BadDescriptorsAndFlags) {
  FileDescriptor file(open(path_.c_str(), O_RDONLY));
  EXPECT_THAT(fstat(-1, &st_), SyscallFailsWith(EBADF));
  EXPECT_THAT(fstatat(-1, "a", &st_, 0), SyscallFailsWith(EBADF));
  EXPECT_THAT(fstatat(file.get(), "a", &st_, 0), SyscallFailsWith(ENOTDIR));
  EXPECT_THAT(fstatat(AT_FDCWD, path_.c_str(), &st_, 0x4000'0000), SyscallFailsWith(EINVAL));
}

TEST_F(StatTest, DirectoryAndItsParents) {
  const std::string sub = dir_.Dir("sub", 0750);
  ASSERT_THAT(stat(sub.c_str(), &st_), SyscallSucceeds());
  EXPECT_EQ(st_.st_mode, static_cast<mode_t>(S_IFDIR | 0750));
  struct stat parent;
  struct stat dotdot;
  ASSERT_THAT(stat(dir_.c_str(), &parent), SyscallSucceeds());
  ASSERT_THAT(stat((sub + "/..").c_str(), &dotdot), SyscallSucceeds());
  EXPECT_EQ(parent.st_ino, dotdot.st_ino);
  struct stat root;
  struct stat above;
  ASSERT_THAT(stat("/", &root), SyscallSucceeds());
  ASSERT_THAT(stat("/../..", &above), SyscallSucceeds());
  EXPECT_EQ(root.st_ino, above.st_ino);
}

TEST_F(StatTest, DeviceHasItsNumbers) {
  ASSERT_THAT(stat("/dev/null", &st_), SyscallSucceeds());
  EXPECT_TRUE(S_ISCHR(st_.st_mode));
  EXPECT_EQ(major(st_.st_rdev), 1u);
  EXPECT_EQ(minor(st_.st_rdev), 3u);
}

TEST_F(StatTest, WritingMovesModificationAndChangeTime) {
  const timespec old[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 1000, .tv_nsec = 0}};
  ASSERT_THAT(utimensat(AT_FDCWD, path_.c_str(), old, 0), SyscallSucceeds());
  FileDescriptor file(open(path_.c_str(), O_WRONLY));
  ASSERT_THAT(write(file.get(), "x", 1), SyscallSucceedsWithValue(1));
  ASSERT_THAT(stat(path_.c_str(), &st_), SyscallSucceeds());
  EXPECT_GT(st_.st_mtim.tv_sec, 1'000'000'000);
  EXPECT_GT(st_.st_ctim.tv_sec, 1'000'000'000);
}

TEST_F(StatTest, PipeIsAFifo) {
  Pipe pipe;
  ASSERT_THAT(fstat(pipe.reader.get(), &st_), SyscallSucceeds());
  EXPECT_TRUE(S_ISFIFO(st_.st_mode));
  SocketPair sockets;
  ASSERT_THAT(fstat(sockets.first.get(), &st_), SyscallSucceeds());
  EXPECT_TRUE(S_ISSOCK(st_.st_mode));
}

}  // namespace
}  // namespace redoubt::test
